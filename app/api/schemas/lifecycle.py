"""What can be asked of a group after it was accepted, on the wire."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from app.api.schemas.base import Choice, Schema, WholeNumber
from app.api.schemas.groups import prefix_field
from app.domain.alphabets import MAX_CODE_LENGTH, MIN_CODE_LENGTH, Alphabet, CodeSpace
from app.domain.groups import MAX_CODES, NO_LENGTH_OR_TOTAL, check_random_length
from app.domain.states import GroupStatus


class Leftover(StrEnum):
    """What becomes of the codes that a cancelled group has already."""

    KEEP = "keep"
    DISCARD = "discard"


class CancelSchema(Schema):
    """How a group is to be cancelled."""

    codes = Choice(Leftover, load_default=Leftover.KEEP)


class AddCodesSchema(Schema):
    """How many codes are to be added."""

    additional_codes_count = WholeNumber(1, MAX_CODES, required=True)


class ProofSchema(Schema):
    """What shows that a group is whole."""

    id = fields.UUID(required=True, attribute="group_id")
    status = fields.String(required=True, validate=validate.OneOf(list(GroupStatus)))
    asked = fields.Integer(required=True)
    stored = fields.Integer(required=True)
    unique = fields.Integer(required=True)
    exported = fields.Integer(required=True)
    sha256 = fields.String(
        required=True, metadata={"description": "Over the codes in ascending byte order, each followed by a line feed."}
    )
    holds = fields.Boolean(required=True, metadata={"description": "Completed, and all the numbers are the same."})


class EstimateRequestSchema(Schema):
    """What codes are thought of."""

    tell_first = (NO_LENGTH_OR_TOTAL,)

    code_length = WholeNumber(
        MIN_CODE_LENGTH,
        MAX_CODE_LENGTH,
        required=True,
        error_messages={"required": NO_LENGTH_OR_TOTAL, "null": NO_LENGTH_OR_TOTAL},
    )
    total_codes_count = WholeNumber(
        1, MAX_CODES, required=True, error_messages={"required": NO_LENGTH_OR_TOTAL, "null": NO_LENGTH_OR_TOTAL}
    )
    alphabet = Choice(Alphabet, load_default=Alphabet.READABLE)
    prefix = prefix_field()

    @ma.post_load
    def make(self, data: dict[str, Any], **_: Any) -> tuple[CodeSpace, int]:
        """The code space and the number of codes."""
        space = CodeSpace(Alphabet(data["alphabet"]), data["code_length"], (data["prefix"] or "").lower())
        check_random_length(space)
        return space, data["total_codes_count"]


class EstimateSchema(Schema):
    """How strong codes would be."""

    capacity = fields.Integer(required=True, metadata={"description": "Different codes that are possible."})
    issued_codes_count = fields.Integer(required=True, metadata={"description": "Those of them that are issued already."})
    expected_collisions = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "Draws expected to hit a taken code, and drawn again; null where there is no room at all."},
    )
    guess_odds = fields.Float(required=True, metadata={"description": "The chance that one guess hits an issued code."})
    entropy_bits = fields.Float(required=True, metadata={"description": "Of the random part of one code."})
    sufficient = fields.Boolean(required=True, metadata={"description": "Whether a group like this is accepted."})
    shortest_code_length = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The shortest length at which it is accepted."}
    )
    suggested_code_length = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The shortest length at which one guess in 10^9 hits, or fewer."}
    )
