"""The tasks: unpack, one service call."""

from __future__ import annotations

import os
import socket

from celery import Celery

from app.domain.states import GroupStatus
from app.jobs import MAKE_CHUNK
from app.runtime import Runtime
from app.services import issuance
from worker.task import register


def make_chunk(runtime: Runtime, chunk_id: int) -> GroupStatus | None:
    """Makes the codes of one chunk."""
    return issuance.make_chunk(runtime.issuance(f"{socket.gethostname()}:{os.getpid()}"), chunk_id)


def register_all(celery: Celery) -> None:
    """Gives every job its task."""
    register(celery, MAKE_CHUNK, make_chunk)
