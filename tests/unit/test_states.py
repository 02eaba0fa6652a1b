"""The state machine of groups, and what a group tells of itself in each state."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.domain.alphabets import Alphabet
from app.domain.groups import Group, UsageType
from app.domain.items import Item, ItemKind
from app.domain.states import EXTENDABLE, GROUP_MOVES, RESUMABLE, TERMINAL, UNFINISHED, GroupStatus

BY_ITSELF = "by itself"
ON_REQUEST = "on request"
MOVES = {
    (GroupStatus.PENDING, GroupStatus.PROCESSING): BY_ITSELF,
    (GroupStatus.PENDING, GroupStatus.COMPLETED): BY_ITSELF,
    (GroupStatus.PENDING, GroupStatus.FAILED): BY_ITSELF,
    (GroupStatus.PENDING, GroupStatus.CANCELLED): ON_REQUEST,
    (GroupStatus.PROCESSING, GroupStatus.COMPLETED): BY_ITSELF,
    (GroupStatus.PROCESSING, GroupStatus.FAILED): BY_ITSELF,
    (GroupStatus.PROCESSING, GroupStatus.CANCELLED): ON_REQUEST,
    (GroupStatus.FAILED, GroupStatus.PENDING): ON_REQUEST,
    (GroupStatus.CANCELLED, GroupStatus.PENDING): ON_REQUEST,
    (GroupStatus.COMPLETED, GroupStatus.PENDING): ON_REQUEST,
}


@pytest.mark.parametrize("after", GroupStatus)
@pytest.mark.parametrize("before", GroupStatus)
def test_moves_are_those_of_the_table(before: GroupStatus, after: GroupStatus) -> None:
    assert (after in GROUP_MOVES[before]) == ((before, after) in MOVES)


def test_every_status_has_its_moves() -> None:
    assert GROUP_MOVES.keys() == set(GroupStatus)


def test_terminal_states_are_left_on_request_alone() -> None:
    left_by_themselves = {before for (before, _), how in MOVES.items() if how is BY_ITSELF}
    assert left_by_themselves == UNFINISHED == set(GroupStatus) - TERMINAL
    assert {status for status in GroupStatus if status.is_terminal} == TERMINAL == RESUMABLE | EXTENDABLE


def a_group(status: GroupStatus, created: int, total: int, items: tuple[Item, ...] = ()) -> Group:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return Group(
        id=UUID(int=1), label="Spring", status=status, total_codes_count=total, created_codes_count=created,
        redeemed_codes_count=0, code_length=12, alphabet=Alphabet.READABLE, prefix=None, custom_name=None,
        usage_type=UsageType.SINGLE, max_redemptions=None, starts_at=None, expires_at=None, access_days=None,
        access_expires_at=None, time_zone="UTC", uploaded=False, gift=False, error=None, created_at=noon, started_at=None,
        finished_at=None, items=items,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "created", "total", "progress"),
    [
        (GroupStatus.PENDING, 0, 10, 0),
        (GroupStatus.PROCESSING, 5, 10, 0.5),
        (GroupStatus.PROCESSING, 10_000, 10_000, 0.9999),
        (GroupStatus.FAILED, 10, 10, 0.9999),
        (GroupStatus.CANCELLED, 3, 4, 0.75),
        (GroupStatus.COMPLETED, 10_000, 10_000, 1),
    ],
)
def test_progress_is_whole_only_once_the_group_is_completed(
    status: GroupStatus, created: int, total: int, progress: float
) -> None:
    assert a_group(status, created, total).progress == progress


def test_items_come_by_kind_in_their_order() -> None:
    items = tuple(Item(kind, UUID(int=number), kind.value) for number, kind in enumerate([*ItemKind, *reversed(ItemKind)]))
    group = a_group(GroupStatus.PENDING, 0, 1, items)
    by_kind = {
        ItemKind.COURSE: group.courses,
        ItemKind.LEARNING_PATH: group.learning_paths,
        ItemKind.BUNDLE: group.bundles,
        ItemKind.LICENSE: group.licenses,
    }
    assert by_kind.keys() == set(ItemKind)
    for kind, found in by_kind.items():
        assert found == tuple(item for item in items if item.kind is kind)
        assert len(found) == 2


@pytest.mark.parametrize(
    ("kind", "singular", "name_field"),
    [
        (ItemKind.COURSE, "course", "title"),
        (ItemKind.LEARNING_PATH, "learning path", "name"),
        (ItemKind.BUNDLE, "bundle", "name"),
        (ItemKind.LICENSE, "license", "name"),
    ],
)
def test_kinds_are_called_by_the_field_s_terms(kind: ItemKind, singular: str, name_field: str) -> None:
    assert (kind.singular, kind.name_field) == (singular, name_field)
