"""The fault matrix: `python -m tests.faults [--only PATTERN] [--json PATH]`. Exit code 1 where any promise was broken."""

from __future__ import annotations

import argparse
import json
import logging
import platform
import re
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.matrix import INJECTIONS, Outcome, run_matrix, table
from tests.faults.plant import a_plant
from tests.faults.scenarios import SCENARIOS


def main() -> int:
    """Runs the matrix and prints it; returns the exit code."""
    options = _options()
    logging.getLogger("app.local").addHandler(logging.NullHandler())  # children end on purpose here
    chosen = [scenario for scenario in SCENARIOS if re.search(options.only, scenario.name)]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mintage-faults-") as folder:
        Path(folder).chmod(0o711)
        with a_plant(Path(folder) / "data") as plant:
            outcomes = run_matrix(plant, chosen, _report)
    seconds = round(time.monotonic() - begun)
    injected = sum(outcome.times for outcome in outcomes)
    few = not options.only and injected < INJECTIONS
    _say(f"\n{table(outcomes)}\n\n{injected} faults injected in {seconds} s.")
    _say(f"At least {INJECTIONS} are wanted." if few else "")
    if options.json:
        facts = {"python": platform.python_version(), "seconds": seconds, "injected": injected}
        options.json.write_text(json.dumps(facts | {"outcomes": [outcome.as_dict() for outcome in outcomes]}, indent=2) + "\n")
    return int(few or not all(outcome.holds for outcome in outcomes))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run faults", description="Injects every fault into real processes, and counts.")
    parser.add_argument(
        "--only", default="", metavar="PATTERN", help="run the scenarios whose names match the regular expression"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the outcomes there as well")
    return parser.parse_args()


def _report(outcome: Outcome) -> None:
    """One line for each scenario as it ends, and one for each thing that is wrong."""
    verdict = f"skipped: {outcome.skipped}" if outcome.skipped else "ok" if outcome.holds else "BROKEN"
    seconds = "" if outcome.recovery_seconds is None else f", all done {outcome.recovery_seconds:.1f} s after the last"
    notes = f" ({'; '.join(outcome.notes)})" if outcome.notes else ""
    _say(f"{verdict:<7} {outcome.fault}: {outcome.times} times{seconds}{notes}")
    for complaint in outcome.complaints:
        _say(f"        {complaint}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
