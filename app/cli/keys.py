"""Commands for API keys; they talk to the database, because without a key there is no other way in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import click

from app.domain.access_keys import AccessKey, Scope
from app.domain.moments import END_OF_DAY, format_moment, parse_moment, parse_time_zone
from app.runtime import Runtime, make_runtime
from app.services import access_keys
from app.settings import load_settings


@click.group()
def keys() -> None:
    """API keys."""


@contextmanager
def _runtime() -> Iterator[Runtime]:
    runtime = make_runtime(load_settings(), pool_size=1)
    try:
        yield runtime
    finally:
        runtime.close()


@keys.command()
@click.option("--label", required=True, help="What the key is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What it may do; repeatable.",
)
@click.option("--client", type=click.UUID, help="The only client whose groups the key sees.")
@click.option("--expires", help="When it ends: a date, or a date and time with an offset.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def create(label: str, scopes: tuple[str, ...], client: UUID | None, expires: str | None, as_json: bool) -> None:
    """Make a key and show it, this once."""
    with _runtime() as runtime, runtime.transaction() as conn:
        stored, key = access_keys.create(
            conn,
            label=label,
            scopes=map(Scope, scopes),
            secret=runtime.secret,
            random_bytes=runtime.random_bytes,
            client_id=client,
            expires_at=_moment(expires),
        )
    if as_json:
        click.echo(json.dumps({"apiKey": key, **_shown(stored)}))
        return
    click.echo(key)
    click.echo("This is the only time the key is shown; keep it where secrets are kept.", err=True)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_keys(as_json: bool) -> None:
    """List all keys, without their secrets."""
    with _runtime() as runtime, runtime.reading() as conn:
        shown = [_shown(key) for key in access_keys.list_all(conn)]
    if as_json:
        click.echo(json.dumps(shown))
        return
    for key in shown:
        state = "revoked" if key["revokedAt"] else f"expires {key['expiresAt']}" if key["expiresAt"] else "live"
        click.echo(f"{key['id']}  {state:<8}  {key['label']}  ({', '.join(key['scopes'])})")


@keys.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """End a key's life; KEY_ID is what `keys list` shows."""
    with _runtime() as runtime, runtime.transaction() as conn:
        revoked = access_keys.revoke(conn, key_id)
    click.echo(f"{revoked.public_id} is revoked; servers turn it away within a second.")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_moment(text, parse_time_zone("UTC"), date_alone=END_OF_DAY, field="--expires")


def _shown(key: AccessKey) -> dict[str, Any]:
    return {
        "id": key.public_id,
        "label": key.label,
        "scopes": sorted(key.scopes),
        "client": str(key.client_id) if key.client_id else None,
        "createdAt": format_moment(key.created_at),
        "expiresAt": format_moment(key.expires_at),
        "revokedAt": format_moment(key.revoked_at),
        "lastUsedAt": format_moment(key.last_used_at),
    }
