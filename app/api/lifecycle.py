"""What can be asked of a group after it was accepted: cancel, resume, add codes, delete, prove, estimate."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from app.api.blueprint import Blueprint
from app.api.groups import ACCEPTED_HEADERS, accepted
from app.api.schemas.groups import GroupSchema
from app.api.schemas.lifecycle import (
    AddCodesSchema,
    CancelSchema,
    EstimateRequestSchema,
    EstimateSchema,
    Leftover,
    ProofSchema,
)
from app.domain.access_keys import Scope
from app.domain.alphabets import CodeSpace
from app.domain.groups import Group
from app.domain.strength import Estimate
from app.http import idempotency
from app.http.auth import principal, requires
from app.http.context import runtime
from app.services import groups, lifecycle, proof
from app.services.proof import Proof

blueprint = Blueprint("lifecycle", __name__, description="A group after it was accepted")

_ONE = "/redemptionCodes/<uuid:group_id>"
_MISSING = {"description": "No such group."}
_WRONG_STATE = {"description": "The group is in another state, or the Idempotency-Key is in use."}


@blueprint.route(f"{_ONE}/cancel", methods=["POST"])
@requires(Scope.GROUPS_WRITE)
@blueprint.arguments(CancelSchema)
@blueprint.response(200, GroupSchema)
@blueprint.alt_response(404, **_MISSING)
@blueprint.alt_response(409, **_WRONG_STATE)
def cancel_group(wanted: dict[str, Any], group_id: UUID) -> Group:
    """Stop the making of a group; the codes made so far are kept unless they are to be discarded."""
    with runtime().transaction() as conn:
        return lifecycle.cancel(conn, principal(), group_id, discard=wanted["codes"] == Leftover.DISCARD)


@blueprint.route(f"{_ONE}/resume", methods=["POST"])
@requires(Scope.GROUPS_WRITE)
@blueprint.doc(parameters=[idempotency.PARAMETER])
@blueprint.response(202, GroupSchema, description="The missing codes are being made.", headers=ACCEPTED_HEADERS)
@blueprint.alt_response(404, **_MISSING)
@blueprint.alt_response(409, **_WRONG_STATE)
def resume_group(group_id: UUID) -> Response:
    """Make the missing codes of a failed or cancelled group."""
    size = runtime().settings.chunk_size
    return idempotency.carried_out_once(lambda conn: accepted(lifecycle.resume(conn, principal(), group_id, chunk_size=size)))


@blueprint.route(f"{_ONE}/addCodes", methods=["POST"])
@requires(Scope.GROUPS_WRITE)
@blueprint.doc(parameters=[idempotency.PARAMETER])
@blueprint.arguments(AddCodesSchema)
@blueprint.response(202, GroupSchema, description="The codes are being made.", headers=ACCEPTED_HEADERS)
@blueprint.alt_response(404, **_MISSING)
@blueprint.alt_response(409, **_WRONG_STATE)
def add_codes(wanted: dict[str, Any], group_id: UUID) -> Response:
    """Add codes to a completed group."""
    size, more = runtime().settings.chunk_size, wanted["additional_codes_count"]
    return idempotency.carried_out_once(
        lambda conn: accepted(lifecycle.add_codes(conn, principal(), group_id, more, chunk_size=size))
    )


@blueprint.route(_ONE, methods=["DELETE"])
@requires(Scope.GROUPS_WRITE)
@blueprint.response(204)
@blueprint.alt_response(404, **_MISSING)
@blueprint.alt_response(409, description="Codes of the group were redeemed.")
def delete_group(group_id: UUID) -> None:
    """Delete a group with its codes, unless one was redeemed."""
    with runtime().transaction() as conn:
        lifecycle.delete(conn, principal(), group_id)


@blueprint.route(f"{_ONE}/proof", methods=["GET"])
@requires(Scope.CODES_READ)
@blueprint.response(200, ProofSchema)
@blueprint.alt_response(404, **_MISSING)
def prove_group(group_id: UUID) -> Proof:
    """Count and hash a group's codes."""
    with runtime().snapshot() as conn:
        return proof.prove(conn, principal(), group_id)


@blueprint.route("/redemptionCodes/estimate", methods=["POST"])
@requires(Scope.GROUPS_READ, Scope.GROUPS_WRITE)
@blueprint.arguments(EstimateRequestSchema)
@blueprint.response(200, EstimateSchema)
def estimate_strength(wanted: tuple[CodeSpace, int]) -> Estimate:
    """Tell how strong codes would be, before a group is made."""
    with runtime().reading() as conn:
        return groups.estimate(conn, *wanted)
