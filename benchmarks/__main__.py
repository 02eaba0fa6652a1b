"""`python -m benchmarks [NAME ...]`: measures, prints a table, keeps the results."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from app.local.servers import LocalServers
from benchmarks import accept, export, latency, memory, poll, throughput
from benchmarks.figures import RESULTS, Result, step_table, table

MEASUREMENTS: dict[str, Callable[[LocalServers], Result]] = {
    module.__name__.rpartition(".")[2]: module.measure for module in (throughput, latency, accept, poll, export, memory)
}


def main() -> None:
    """Runs the benchmarks that are named, or all; fails only where a figure could not be taken."""
    arguments = _arguments()
    with (
        tempfile.TemporaryDirectory(prefix="mintage-bench-", dir=arguments.data_dir) as folder,
        LocalServers(Path(folder) / "data") as servers,
    ):
        results = [_run(name, servers, arguments.results) for name in arguments.names or MEASUREMENTS]
    print(f"\n{table(results)}")
    for result in results:
        if result.steps:
            print(f"\n{result.steps_title}:\n\n{step_table(result)}")


def _run(name: str, servers: LocalServers, folder: Path) -> Result:
    begun = time.monotonic()
    print(f"{name} ...", end=" ", flush=True)
    result = MEASUREMENTS[name](servers)
    result.save(folder)
    print(f"{time.monotonic() - begun:.0f} s", *result.notes, sep="; ")
    return result


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench", description="Each figure beside its reference, in one run.")
    # No name at all comes as an empty list, which has to be among the choices.
    parser.add_argument("names", nargs="*", choices=[*MEASUREMENTS, []], metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--data-dir", help="where the servers' files lie meanwhile; the temporary folder by default")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the JSON files go")
    return parser.parse_args()


if __name__ == "__main__":
    main()
