"""The environment, read once into a frozen value.

Every setting of the service is a field here; the README lists them for operators.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.errors import ConfigurationError


class Settings(BaseSettings):
    """Where the stores are and how the service behaves; names on the left, environment variables as aliases."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    database_url: SecretStr = Field(validation_alias="DATABASE_URL")
    redis_url: SecretStr = Field(validation_alias="REDIS_URL")
    celery_broker_url: SecretStr | None = Field(default=None, validation_alias="CELERY_BROKER_URL")
    secret_key: SecretStr = Field(validation_alias="SECRET_KEY", min_length=32)

    chunk_size: int = Field(default=2000, ge=1, le=4000, validation_alias="MINTAGE_CHUNK_SIZE")
    """Codes that one job makes; at most what one call to Redis may carry through a script."""
    lease_seconds: float = Field(default=30.0, gt=0, validation_alias="MINTAGE_LEASE_SECONDS")
    """How long a worker may hold a chunk before another may take it."""
    task_time_limit: float = Field(default=25.0, gt=0, validation_alias="MINTAGE_TASK_TIME_LIMIT")
    """Seconds after which a worker process that still holds a chunk is killed; below the lease."""
    max_attempts: int = Field(default=5, ge=1, validation_alias="MINTAGE_MAX_ATTEMPTS")
    """Claims after which a chunk that never finished makes its group fail."""
    sweep_seconds: float = Field(default=1.0, gt=0, validation_alias="MINTAGE_SWEEP_SECONDS")
    """How often the dispatcher looks for work that nobody told it about."""
    resend_seconds: float = Field(default=5.0, gt=0, validation_alias="MINTAGE_RESEND_SECONDS")
    """How long a sent chunk may stay unclaimed, while workers have nothing else to do, before it is sent again."""
    queue_depth: int = Field(default=2, ge=1, validation_alias="MINTAGE_QUEUE_DEPTH")
    """Chunks that are handed to the queue for each one that the workers can make at once; a short queue keeps turns fair."""
    heartbeat_seconds: float = Field(default=10.0, gt=0, validation_alias="MINTAGE_HEARTBEAT_SECONDS")
    """How often a worker says that it is there; it counts as gone after three times this."""

    database_pool_size: int = Field(default=8, ge=1, validation_alias="MINTAGE_DATABASE_POOL_SIZE")
    statement_timeout_ms: int = Field(default=15_000, ge=100, validation_alias="MINTAGE_STATEMENT_TIMEOUT_MS")
    lock_timeout_ms: int = Field(default=2_000, ge=10, validation_alias="MINTAGE_LOCK_TIMEOUT_MS")
    redis_timeout_seconds: float = Field(default=0.5, gt=0, validation_alias="MINTAGE_REDIS_TIMEOUT_SECONDS")
    max_body_bytes: int = Field(default=10 * 1024 * 1024, ge=1024, validation_alias="MINTAGE_MAX_BODY_BYTES")

    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", validation_alias="MINTAGE_LOG_LEVEL")
    log_format: Literal["json", "console"] = Field(default="json", validation_alias="MINTAGE_LOG_FORMAT")

    @property
    def broker_url(self) -> str:
        """The broker's URL; the Redis one where none of its own is set."""
        return (self.celery_broker_url or self.redis_url).get_secret_value()


def load_settings() -> Settings:
    """Reads the environment.

    Raises ConfigurationError naming every variable that is missing or wrong, never its value.
    """
    try:
        return Settings()  # type: ignore[call-arg]  # the values come from the environment
    except ValidationError as error:
        problems = [f"{_variable(item['loc'])}: {item['msg']}" for item in error.errors(include_input=False)]
        raise ConfigurationError("The environment is not complete. " + "; ".join(problems)) from None


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "?"
    field = Settings.model_fields.get(name)
    alias = field.validation_alias if field else name
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else str(alias or name)
