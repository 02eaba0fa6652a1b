"""What the system says about processes that are not children of ours."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

# Defined there because the guardian can import nothing of ours.
from app.local.guardian import is_running

__all__ = ["command_line", "is_running"]

_PROC = Path("/proc")


def command_line(pid: int) -> str:
    """The command line of a process, joined by blanks; empty if it is gone or cannot be told."""
    if (_PROC / "self").exists():
        try:
            return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    ps = shutil.which("ps")
    if ps is None:
        return ""
    return subprocess.run([ps, "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False).stdout  # noqa: S603 - `ps` with a number
