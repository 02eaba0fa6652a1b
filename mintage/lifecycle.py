"""Groups after they were accepted: cancel, resume, add codes, delete and prove; and codes that are only thought of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from mintage.connection import Connection, json_of, once
from mintage.errors import Conflict, NotFound
from mintage.models import AlphabetName, Group, GroupStatus, Wire, id_of, parsed
from mintage.watching import group_path


@dataclass(frozen=True, slots=True)
class Proof:
    """What the service counted and hashed of one group, all at one moment; the numbers are codes."""

    id: str
    status: GroupStatus
    asked: int
    stored: int
    unique: int
    """Different ones among those stored, whatever their case."""
    exported: int
    """Rows that an export of that moment holds."""
    sha256: str
    """Over the codes in ascending byte order, each followed by a line feed; hexadecimal."""
    holds: bool
    """Whether the group is completed and all the numbers are the same."""
    raw: Wire = field(repr=False, compare=False)

    @classmethod
    def from_wire(cls, wire: Wire) -> Self:
        """From the service's answer; raises KeyError or ValueError where it is not a proof."""
        return cls(
            id=wire["id"],
            status=GroupStatus(wire["status"]),
            asked=wire["asked"],
            stored=wire["stored"],
            unique=wire["unique"],
            exported=wire["exported"],
            sha256=wire["sha256"].lower(),
            holds=bool(wire["holds"]),
            raw=wire,
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """How strong codes would be, before any is made."""

    capacity: int
    """Different codes that are possible."""
    issued_codes_count: int
    """Those of them that are issued already."""
    expected_collisions: float | None
    """Draws expected to hit a taken code, and drawn again; None where there is no room at all."""
    guess_odds: float
    """The chance that one guess hits an issued code, 0 to 1."""
    entropy_bits: float
    """Of the random part of one code."""
    sufficient: bool
    """Whether a group like this is accepted."""
    shortest_code_length: int | None
    """The shortest length at which it is accepted; None if there is none."""
    suggested_code_length: int | None
    """The shortest length at which one guess in a thousand million hits, or fewer; None if there is none."""
    raw: Wire = field(repr=False, compare=False)

    @classmethod
    def from_wire(cls, wire: Wire) -> Self:
        """From the service's answer; raises KeyError where it is not an estimate."""
        return cls(
            capacity=wire["capacity"],
            issued_codes_count=wire["issuedCodesCount"],
            expected_collisions=wire["expectedCollisions"],
            guess_odds=float(wire["guessOdds"]),
            entropy_bits=float(wire["entropyBits"]),
            sufficient=bool(wire["sufficient"]),
            shortest_code_length=wire["shortestCodeLength"],
            suggested_code_length=wire["suggestedCodeLength"],
            raw=wire,
        )


class LifecycleCalls:
    """The part of `Client` for groups that are there already; wherever one is asked for, its id does as well."""

    _connection: Connection

    def cancel_group(self, group: str | Group, discard: bool = False) -> Group:
        """Stops the making of a group, and returns it cancelled.

        The codes made so far stay; with `discard` they are deleted, except any that were redeemed. Raises NotFound, and
        Conflict for a group that is not being made; but an attempt after a lost answer that finds the group as it was to
        be is a success.
        """
        try:
            body = {"codes": "discard" if discard else "keep"}
            answer = self._connection.send("POST", group_path(id_of(group), "cancel"), body=body)
            return parsed(Group.from_wire, json_of(answer))
        except Conflict as conflict:
            if not conflict.repeated:
                raise
            found = parsed(Group.from_wire, self._connection.fetch(group_path(id_of(group))))
            left = found.created_codes_count - found.redeemed_codes_count
            if found.status is not GroupStatus.CANCELLED or (discard and left):
                raise
            return found

    def resume_group(self, group: str | Group, idempotency_key: str | None = None) -> Group:
        """Has the missing codes of a failed or cancelled group made, and returns it pending; `wait` for it next.

        Carried out once, as `create_group` is. Raises NotFound, and Conflict for a group in another state.
        """
        path = group_path(id_of(group), "resume")
        return parsed(Group.from_wire, json_of(self._connection.send("POST", path, headers=once(idempotency_key))))

    def add_codes(self, group: str | Group, count: int, idempotency_key: str | None = None) -> Group:
        """Asks for `count` more codes in a completed group, and returns it pending with its new total; `wait` for it next.

        Carried out once, as `create_group` is: trying again after a lost answer adds nothing more. Raises NotFound,
        Conflict for a group that is not completed or whose codes were not generated, and Invalid where it would get too
        large or its codes too easy to guess.
        """
        body = {"additionalCodesCount": count}
        path = group_path(id_of(group), "addCodes")
        return parsed(Group.from_wire, json_of(self._connection.send("POST", path, body=body, headers=once(idempotency_key))))

    def delete_group(self, group: str | Group) -> None:
        """Deletes a group with its codes, for good, also while they are being made.

        Raises NotFound, unless an attempt whose answer was lost may have deleted it, and Conflict once a code was redeemed.
        """
        try:
            self._connection.send("DELETE", group_path(id_of(group)))
        except NotFound as missing:
            if not missing.repeated:
                raise

    def prove(self, group: str | Group) -> Proof:
        """What the service counts and hashes of a group now; changes nothing. Raises NotFound."""
        return parsed(Proof.from_wire, self._connection.fetch(group_path(id_of(group), "proof")))

    def estimate(self, code_length: int, total: int, alphabet: AlphabetName | None = None, prefix: str | None = None) -> Estimate:
        """How strong `total` codes of that length would be; makes none, and tells codes that are refused as well.

        `prefix` counts in `code_length`; without `alphabet` it is the service's own choice, the readable one. Raises
        Invalid for a length, a total or a prefix that no group may have.
        """
        body = {"codeLength": code_length, "totalCodesCount": total, "alphabet": alphabet, "prefix": prefix}
        given = {name: value for name, value in body.items() if value is not None}
        return parsed(Estimate.from_wire, json_of(self._connection.send("POST", "/redemptionCodes/estimate", body=given)))
