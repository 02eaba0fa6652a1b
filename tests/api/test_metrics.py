"""The numbers an operator watches."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from app.runtime import Runtime
from app.services import issuance
from app.store.queries import workers
from app.store.queries.workers import Worker
from tests.builders import Api, an_accepted_group


def test_groups_chunks_codes_and_workers_are_counted(runtime: Runtime) -> None:
    an_accepted_group(runtime, total_codes_count=20, chunk_size=10)
    with runtime.transaction() as conn:
        workers.report(conn, Worker("celery@a", "a", 7, ("q",), 2, 41))
        first = conn.scalar(text("SELECT min(id) FROM chunks"))
    issuance.make_chunk(runtime.issuance("w"), int(first or 0))
    answer = Api(runtime).get("//metrics")
    assert answer.status_code == 200
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.get_data(as_text=True))
        for sample in family.samples
    }
    assert samples.pop(("mintage_oldest_idle_seconds",)) >= 0
    assert samples == {
        ("mintage_groups", "pending"): 0,
        ("mintage_groups", "processing"): 1,
        ("mintage_groups", "completed"): 0,
        ("mintage_groups", "failed"): 0,
        ("mintage_groups", "cancelled"): 0,
        ("mintage_chunks", "waiting"): 1,
        ("mintage_chunks", "queued"): 0,
        ("mintage_chunks", "running"): 0,
        ("mintage_codes_stored",): 10,
        ("mintage_workers",): 1,
        ("mintage_worker_chunks_done_total", "celery@a"): 41,
    }


def test_without_a_key_nothing_is_told(runtime: Runtime) -> None:
    assert Api(runtime).client.get("/metrics").status_code == 401
