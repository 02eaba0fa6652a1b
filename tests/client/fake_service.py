"""A service made up of dictionaries that speaks the wire format; each poll of a group makes `step` more of its codes."""

from __future__ import annotations

import hashlib
import json
import re
from collections import deque
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx

Wire = dict[str, Any]
Answer = httpx.Response | httpx.TransportError
BASE = "/incoming/v2"
EPOCH = "2025-06-30T12:00:00.000Z"
KEY = "mk_live_fake"


class FakeService:
    """What was asked is in `requests`; `first(...)` queues answers that come before the right one."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.groups: dict[str, Wire] = {}
        self.catalog: dict[str, dict[str, Wire]] = {}
        self.step = 4_000
        self.quiet_polls = True
        """Whether codes are made between two polls with news, or at each poll."""
        self.fate = "completed"
        self.announced: int | None = None
        self.is_ready = True
        self.losing = 0
        """How many answers get lost, although what was asked is done."""
        self.miscounted: Wire = {}
        """What a proof tells in place of what is true."""
        self._keys: dict[str, Wire] = {}
        self._queued: deque[Answer] = deque()

    def first(self, *answers: Answer) -> None:
        """Answers the next requests with these, in place of what would be right."""
        self._queued.extend(answers)

    def sent(self, method: str, path: str = "") -> list[httpx.Request]:
        """The requests of a method whose path ends so."""
        return [request for request in self.requests if request.method == method and request.url.path.endswith(path)]

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answers one request."""
        self.requests.append(request)
        if self._queued:
            queued = self._queued.popleft()
            if isinstance(queued, httpx.TransportError):
                raise queued
            return queued
        if request.url.path == "/readyz":
            return httpx.Response(200 if self.is_ready else 503, json={})
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return httpx.Response(401, headers={"WWW-Authenticate": "Bearer"})
        answer = self._route(request)
        if self.losing:
            self.losing -= 1
            raise httpx.ReadTimeout("silence")
        return answer

    def add_group(self, label: str = "Spring", total: int = 10_000, created: int = 0, **fields: Any) -> Wire:
        """Stores a group as if it had been posted."""
        group = group_wire(label=label, totalCodesCount=total, createdCodesCount=created, **fields)
        self.groups[group["id"]] = group
        return group

    def _route(self, request: httpx.Request) -> httpx.Response:
        routes: list[tuple[str, str, Callable[..., httpx.Response]]] = [
            ("GET", "/ping", lambda _: httpx.Response(200, json={"valid": True})),
            ("POST", "/redemptionCodes", self._create),
            ("GET", "/redemptionCodes", self._list_groups),
            ("POST", "/redemptionCodes/estimate", self._estimate),
            ("GET", "/redemptionCodes/([^/]+)", self._poll),
            ("DELETE", "/redemptionCodes/([^/]+)", self._delete),
            ("POST", "/redemptionCodes/([^/]+)/cancel", self._cancel),
            ("POST", "/redemptionCodes/([^/]+)/resume", self._resume),
            ("POST", "/redemptionCodes/([^/]+)/addCodes", self._add_codes),
            ("GET", "/redemptionCodes/([^/]+)/proof", self._proof),
            ("GET", "/redemptionCodes/([^/]+)/codes", self._codes),
            ("GET", "/redemptionCodes/([^/]+)/codes/export", self._export),
            ("POST", "/(courses|bundles|licenses|learningPaths|clients)", self._upsert),
            ("GET", "/(courses|bundles|licenses|learningPaths|clients)", self._list_catalog),
        ]
        path = request.url.path
        unknown = (part := re.match(BASE + "/redemptionCodes/([^/]+)", path)) and part[1] not in {*self.groups, "estimate"}
        for method, pattern, answer in routes:
            if method == request.method and not unknown and (match := re.fullmatch(BASE + pattern, path)):
                return answer(request, *match.groups())
        return refused(404, "There is nothing here under that id.")

    def _create(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        key = request.headers.get("Idempotency-Key", str(uuid4()))
        if "label" not in body or "courses" not in body:
            return refused(422, "Please choose at least one item to give access to, or select a license.")
        if key not in self._keys:
            self._keys[key] = self.add_group(body["label"], body["totalCodesCount"], codeLength=body.get("codeLength"))
        return httpx.Response(202, json=self._keys[key], headers={"Retry-After": "1"})

    def _poll(self, request: httpx.Request, group_id: str) -> httpx.Response:
        group = self.groups[group_id]
        if not self.quiet_polls and "If-None-Match" in request.headers:
            self._advance(group)
        tag = f'"{group["createdCodesCount"]}-{group["status"]}"'
        if request.headers.get("If-None-Match") == tag:
            self._advance(group)
            return httpx.Response(304, headers={"ETag": tag, "Retry-After": "1"})
        return httpx.Response(200, json=group, headers={"ETag": tag})

    def _advance(self, group: Wire) -> None:
        group["createdCodesCount"] = min(group["createdCodesCount"] + self.step, group["totalCodesCount"])
        group["progress"] = group["createdCodesCount"] / group["totalCodesCount"]
        group["status"] = "processing" if group["progress"] < 1 else self.fate
        if group["status"] == "failed":
            group["error"] = "A chunk could not be made."

    def _cancel(self, request: httpx.Request, group_id: str) -> httpx.Response:
        group = self.groups[group_id]
        if group["status"] not in ("pending", "processing"):
            return refused(409, f"This group is {group['status']}; only a pending or processing group can be cancelled.")
        group["status"] = "cancelled"
        if json.loads(request.content)["codes"] == "discard":
            group["createdCodesCount"] = group["redeemedCodesCount"]
        return httpx.Response(200, json=group)

    def _resume(self, request: httpx.Request, group_id: str) -> httpx.Response:
        return self._back_to_pending(request, group_id, ("cancelled", "failed"))

    def _add_codes(self, request: httpx.Request, group_id: str) -> httpx.Response:
        return self._back_to_pending(request, group_id, ("completed",), json.loads(request.content)["additionalCodesCount"])

    def _back_to_pending(
        self, request: httpx.Request, group_id: str, since: tuple[str, ...], more_codes: int = 0
    ) -> httpx.Response:
        group, key = self.groups[group_id], request.headers["Idempotency-Key"]
        if key not in self._keys:
            if group["status"] not in since:
                return refused(409, f"This group is {group['status']}; only a {' or '.join(since)} group can be changed so.")
            group |= {"status": "pending", "error": None, "totalCodesCount": group["totalCodesCount"] + more_codes}
            self._keys[key] = group
        return httpx.Response(202, json=self._keys[key], headers={"Retry-After": "1"})

    def _delete(self, _: httpx.Request, group_id: str) -> httpx.Response:
        if self.groups[group_id]["redeemedCodesCount"]:
            return refused(409, "Codes of this group were redeemed, so it cannot be deleted; deactivate its codes instead.")
        del self.groups[group_id]
        return httpx.Response(204)

    def _proof(self, _: httpx.Request, group_id: str) -> httpx.Response:
        group, codes = self.groups[group_id], self.codes_of(group_id)
        return httpx.Response(200, json=proof_wire(group, codes) | self.miscounted)

    def _estimate(self, request: httpx.Request) -> httpx.Response:
        sufficient = json.loads(request.content)["codeLength"] > 4
        return httpx.Response(
            200, json=estimate_wire() if sufficient else estimate_wire(expectedCollisions=None, sufficient=False)
        )

    def _list_groups(self, request: httpx.Request) -> httpx.Response:
        query = request.url.params.get("query", "")
        return page(request, "redemptionCodes", [group for group in self.groups.values() if query in group["label"]])

    def _codes(self, request: httpx.Request, group_id: str) -> httpx.Response:
        return page(request, "codes", [code_wire(code) for code in self.codes_of(group_id)])

    def _export(self, _: httpx.Request, group_id: str) -> httpx.Response:
        codes = self.codes_of(group_id)
        lines = ["Created Date,Code,Valid Till,Usage Type,Active,Status,Redeemed By"]
        lines += [f'{EPOCH},{code},,single,true,unused,"Ann ""A""\nLee"' for code in codes]
        count = len(codes) if self.announced is None else self.announced
        return httpx.Response(200, content="\r\n".join([*lines, ""]).encode(), headers={"X-Codes-Count": str(count)})

    def codes_of(self, group_id: str) -> list[str]:
        """The codes that a group has by now."""
        return [f"code{number:06}" for number in range(self.groups[group_id]["createdCodesCount"])]

    def _upsert(self, request: httpx.Request, collection: str) -> httpx.Response:
        entries: list[Wire] = json.loads(request.content)
        assert len(entries) <= 500
        self.catalog.setdefault(collection, {}).update({entry["id"]: entry for entry in entries})
        return httpx.Response(200, json={collection: entries})

    def _list_catalog(self, request: httpx.Request, collection: str) -> httpx.Response:
        return page(request, collection, list(self.catalog.get(collection, {}).values()))


def page(request: httpx.Request, collection: str, entries: list[Wire]) -> httpx.Response:
    """One page by a cursor that is, in truth, an offset."""
    size = int(request.url.params.get("pageSize", 50))
    start = int(request.url.params.get("cursor", 0))
    has_more = start + size < len(entries)
    info = {"total": len(entries), "hasMore": has_more, "cursor": str(start + size) if has_more else None}
    return httpx.Response(200, json={collection: entries[start : start + size], "pageInfo": info})


def refused(status: int, sentence: str, **headers: str) -> httpx.Response:
    """An error as the wire has it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"errors": [sentence]}, headers=named)


def group_wire(**changes: Any) -> Wire:
    """A pending group as the service sends it, with changes."""
    group: Wire = {
        "id": str(uuid4()),
        "label": "Spring",
        "redeemedCodesCount": 0,
        "totalCodesCount": 10_000,
        "expirationDate": None,
        "accessDays": None,
        "accessExpirationDate": None,
        "uploaded": False,
        "gift": False,
        "client": None,
        "courses": [{"id": "c1", "title": "Algebra I"}],
        "learningPaths": [],
        "bundles": [],
        "licenses": [],
        "status": "pending",
        "createdCodesCount": 0,
        "progress": 0.0,
        "codeLength": 12,
        "alphabet": "readable",
        "prefix": None,
        "customName": None,
        "usageType": "single",
        "maxRedemptions": 1,
        "startDate": None,
        "timeZone": "UTC",
        "error": None,
        "createdAt": EPOCH,
        "startedAt": None,
        "finishedAt": None,
    }
    return group | changes


def proof_wire(group: Wire, codes: list[str]) -> Wire:
    """The proof of a group that holds these codes."""
    count = len(codes)
    return {
        "id": group["id"],
        "status": group["status"],
        "asked": group["totalCodesCount"],
        "stored": count,
        "unique": count,
        "exported": count,
        "sha256": hashlib.sha256("".join(f"{code}\n" for code in sorted(codes)).encode()).hexdigest(),
        "holds": group["status"] == "completed" and count == group["totalCodesCount"],
    }


def estimate_wire(**changes: Any) -> Wire:
    """An estimate as the service sends it, with changes."""
    estimate: Wire = {
        "capacity": 208_827_064_576,
        "issuedCodesCount": 20_000,
        "expectedCollisions": 0.0011971,
        "guessOdds": 1.4366e-07,
        "entropyBits": 37.60,
        "sufficient": True,
        "shortestCodeLength": 5,
        "suggestedCodeLength": None,
    }
    return estimate | changes


def code_wire(code: str, **changes: Any) -> Wire:
    """An unused code as the service sends it, with changes."""
    wire: Wire = {
        "id": str(uuid4()),
        "code": code,
        "createdAt": EPOCH,
        "startDate": None,
        "expirationDate": None,
        "usageType": "single",
        "maxRedemptions": 1,
        "active": True,
        "status": "unused",
        "redemptionsCount": 0,
        "redeemedBy": [],
    }
    return wire | changes
