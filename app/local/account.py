"""Under which user PostgreSQL runs. It refuses to run as root, so root has to step aside for it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import LocalServerError

_AS_1000 = ("--user", "--map-user=1000", "--map-group=1000")


@dataclass(frozen=True)
class Account:
    """What to put before a command, or which user and group to run it as; the plain value changes nothing."""

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command as it is to be run."""
        return [*self.prefix, *argv]

    @property
    def groups(self) -> list[int] | None:
        """The supplementary groups to run with; None leaves them alone."""
        return None if self.user is None else []

    def give(self, path: Path) -> None:
        """Makes the account the owner of a file, or of a folder and all in it, and lets it pass through the parent folder.

        Nothing happens where commands run as the present user anyway. Raises LocalServerError, before any change, if the account
        cannot pass through the folders above.
        """
        if self.user is None or self.group is None:
            return
        parent = path.parent
        self._require_passage(parent.parents)
        if parent.stat().st_uid != self.user:
            parent.chmod(parent.stat().st_mode | 0o011)
        if path.stat().st_uid == self.user:
            return
        for place in (path, *path.rglob("*")):
            os.chown(place, self.user, self.group, follow_symlinks=False)

    def _require_passage(self, folders: Iterable[Path]) -> None:
        for folder in folders:
            status = folder.stat()
            if not status.st_mode & 0o001 and status.st_uid != self.user:
                raise LocalServerError(
                    f"PostgreSQL does not run as root, and user {self.user}, whom it would run as, may not enter {folder}: "
                    "choose another data folder, or run Mintage as a normal user."
                )


def account_for(folder: Path) -> Account:
    """Chooses the account for a cluster in `folder`, which need not exist yet.

    A normal user runs it plainly. Root runs it as the folder's owner if that is somebody else; else as user 1000 of a user
    namespace of its own, which needs no new user and no change of permissions; where the system refuses namespaces (some
    containers do), as `nobody`, which needs a folder whose parents everybody may pass through.

    Raises LocalServerError if root can do none of these.
    """
    if os.geteuid() != 0:
        return Account()
    if folder.exists() and (owner := folder.stat()).st_uid != 0:
        return Account(user=owner.st_uid, group=owner.st_gid)
    if namespace := _namespace():
        return Account(prefix=namespace)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise LocalServerError("PostgreSQL cannot run as root here: there is neither a user namespace nor `nobody`.") from None
    return Account(user=nobody.pw_uid, group=nobody.pw_gid)


def _namespace() -> tuple[str, ...] | None:
    unshare, true = shutil.which("unshare"), shutil.which("true")
    if unshare is None or true is None:
        return None
    prefix = (unshare, *_AS_1000)
    probe = subprocess.run([*prefix, true], capture_output=True, check=False)  # noqa: S603 - two programs of the system's
    return prefix if probe.returncode == 0 else None
