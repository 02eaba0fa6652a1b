"""The numbers an operator watches, in Prometheus' text format. Any live key may read them; they name nobody's data."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from app.api.blueprint import Blueprint
from app.http.auth import requires
from app.http.context import runtime
from app.services.metrics import Metrics

blueprint = Blueprint("metrics", __name__, url_prefix="/", description="Numbers for operators")


@blueprint.route("metrics", methods=["GET"])
@requires()
@blueprint.response(200, {"type": "string"}, content_type="text/plain", description="Prometheus' text format.")
@blueprint.alt_response(401, description="No valid API key; the body is empty.")
@blueprint.doc(security=[{"apiKey": []}])
def metrics() -> Response:
    """Read the service's metrics."""
    registry = CollectorRegistry()
    registry.register(_Collected(runtime().metrics()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Collected(Collector):
    """The families of one reading."""

    def __init__(self, read: Metrics) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Every family, in a fixed order."""
        groups = GaugeMetricFamily("mintage_groups", "Groups by status.", labels=["status"])
        for status, count in self._read.groups.items():
            groups.add_metric([status], count)
        yield groups
        chunks = GaugeMetricFamily("mintage_chunks", "Unfinished chunks by state.", labels=["state"])
        chunks.add_metric(["waiting"], self._read.chunks_waiting)
        chunks.add_metric(["queued"], self._read.chunks_queued)
        chunks.add_metric(["running"], self._read.chunks_running)
        yield chunks
        yield GaugeMetricFamily(
            "mintage_oldest_idle_seconds", "Since anything happened to the slowest group.", value=self._read.oldest_idle_seconds
        )
        yield GaugeMetricFamily("mintage_codes_stored", "Codes stored.", value=self._read.codes_stored)
        yield GaugeMetricFamily("mintage_workers", "Workers seen lately.", value=len(self._read.workers))
        done = CounterMetricFamily("mintage_worker_chunks_done", "Chunks done by each worker seen lately.", labels=["worker"])
        for name, count in self._read.workers.items():
            done.add_metric([name], count)
        yield done
