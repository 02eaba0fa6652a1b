"""The reference for making codes: plain COPY of ready-made rows into a copy of the table, commit included."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from uuid import uuid4

import psycopg

from app.domain.alphabets import Alphabet, CodeSpace
from app.domain.generation import draw_codes
from benchmarks.stack import CODES_PER_GROUP, Service

TABLE = "codes_copy"
_SPACE = CodeSpace(Alphabet.READABLE, 12)
_processes = multiprocessing.get_context("spawn")


def make_table(service: Service) -> None:
    """Makes an empty copy of the codes' table, with the same columns, defaults, checks and indexes."""
    service.run(f"CREATE TABLE {TABLE} (LIKE codes INCLUDING ALL)")


def a_block(codes: int = CODES_PER_GROUP) -> bytes:
    """The rows of one group, ready to be copied in, in the order in which the service stores them."""
    prefix = f"{uuid4()}\t"
    return (prefix + f"\n{prefix}".join(draw_codes(_SPACE, codes, os.urandom)) + "\n").encode()


def copy_in(conn: psycopg.Connection, block: bytes) -> None:
    """Copies one group's rows in; on a connection in autocommit mode that is one transaction."""
    with conn.cursor() as cursor, cursor.copy(f"COPY {TABLE} (group_id, code) FROM STDIN") as copy:
        copy.write(block)


class Writers:
    """Processes that have their rows ready and wait for the word; each copies one group after the other."""

    def __init__(self, pipes: list[Pipe]) -> None:
        self._pipes = pipes

    def run(self) -> float:
        """Lets all of them copy all they have; the seconds until the last commit. They stay connected."""
        begun = time.perf_counter()
        for pipe in self._pipes:
            pipe.send("go")
        for pipe in self._pipes:
            pipe.recv()
        return time.perf_counter() - begun


@contextmanager
def writers(service: Service, groups: int, count: int) -> Iterator[Writers]:
    """So many writers, ready, for so many groups in all."""
    shares = [groups // count + (number < groups % count) for number in range(count)]
    started = [_start_writer(service.database_url, share) for share in shares]
    for pipe, _ in started:
        pipe.recv()
    yield Writers([pipe for pipe, _ in started])
    for pipe, process in started:
        pipe.send("leave")
        process.join()


def _start_writer(url: str, groups: int) -> tuple[Pipe, multiprocessing.process.BaseProcess]:
    ours, theirs = _processes.Pipe()
    process = _processes.Process(target=_write, args=(theirs, url, groups), daemon=True)
    process.start()
    return ours, process


def _write(pipe: Pipe, url: str, groups: int) -> None:
    """A writer: says when its rows are ready, waits for the word, tells when all are committed, waits to be sent home."""
    blocks = [a_block() for _ in range(groups)]
    with psycopg.connect(url, autocommit=True) as conn:
        pipe.send("ready")
        pipe.recv()
        for block in blocks:
            copy_in(conn, block)
        pipe.send("done")
        pipe.recv()
