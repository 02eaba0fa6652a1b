"""The environment: what is missing is named, what is there is never shown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.errors import ConfigurationError
from app.settings import Settings, load_settings

ENVIRONMENT = {
    "DATABASE_URL": "postgresql://mintage:hunter2@db/mintage",
    "REDIS_URL": "redis://:hunter2@redis/0",
    "SECRET_KEY": "hunter2" * 5,
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the variables that a service cannot do without."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def complaint() -> str:
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    return refused.value.message


def test_three_variables_are_enough() -> None:
    settings = load_settings()
    assert settings.database_url.get_secret_value() == ENVIRONMENT["DATABASE_URL"]
    assert settings.chunk_size == 2000


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    told = complaint()
    assert f"{name}: Field required" in told
    assert not any(other in told for other in ENVIRONMENT if other != name)


def test_all_missing_variables_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name)
    told = complaint()
    assert all(name in told for name in ENVIRONMENT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "hunter2"),
        ("MINTAGE_CHUNK_SIZE", "hunter2"),
        ("MINTAGE_CHUNK_SIZE", "0"),
        ("MINTAGE_CHUNK_SIZE", "4001"),
        ("MINTAGE_LEASE_SECONDS", "0"),
        ("MINTAGE_LEASE_SECONDS", "-1"),
        ("MINTAGE_MAX_ATTEMPTS", "0"),
        ("MINTAGE_LOG_LEVEL", "hunter2"),
        ("MINTAGE_LOG_FORMAT", "hunter2"),
    ],
)
def test_a_wrong_value_is_refused_by_the_variable_s_name_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    told = complaint()
    assert f"{name}: " in told
    assert "hunter2" not in told


def test_settings_do_not_show_secrets() -> None:
    settings = load_settings()
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings.model_dump())


def test_settings_do_not_change() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.chunk_size = 1


def test_the_broker_is_redis_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().broker_url == ENVIRONMENT["REDIS_URL"]
    monkeypatch.setenv("CELERY_BROKER_URL", "amqp://rabbit//")
    assert load_settings().broker_url == "amqp://rabbit//"


def test_every_setting_has_a_variable_of_its_own() -> None:
    names = [str(field.validation_alias) for field in Settings.model_fields.values()]
    assert len(set(names)) == len(names)
    assert all(name == name.upper() for name in names)
