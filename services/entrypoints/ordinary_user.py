"""The ordinary user as which a program runs when root starts the portal.

A program that faces the network must not be able to change the machine. Each program gets an account of its own: two of
one account could read one another's memory, and the mail worker's holds the address of the database's owner.
"""

import os
import pwd
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from db.environment import PROJECT

# In this order; the first of each is for administrators who create an account for the purpose.
WEB_ACCOUNTS: Final = ("esupport", "nobody", "www-data")
MAIL_ACCOUNTS: Final = ("esupport-mail", "daemon", "mail", "bin")
_PATIENCE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class OrdinaryUser:
    """The user to become. `group` is an additional group, which may reach the socket of the embedded database."""

    name: str
    uid: int
    gid: int
    group: int | None = None

    @property
    def groups(self) -> list[int]:
        return [] if self.group is None else [self.group]


def find_user(
    names: Collection[str], *, taken: Collection[int], group: int | None = None
) -> OrdinaryUser | None:
    """The first of these accounts that exists and that no other program of the portal uses; None unless this process is
    root.
    """
    if os.geteuid() != 0:
        return None
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0 and entry.pw_uid not in taken:
            return OrdinaryUser(name, entry.pw_uid, entry.pw_gid, group)
    return None


def why_it_cannot(user: OrdinaryUser, check: str, environment: Mapping[str, str]) -> str | None:
    """Run a few lines of Python as that user; None if they succeeded, otherwise the last line of their output.

    Asked of the machine itself: an interpreter in root's home, a project below a closed folder and a port below 1024
    are all found only by trying.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", check],
            cwd=PROJECT,
            env=environment,
            user=user.uid,
            group=user.gid,
            extra_groups=user.groups,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__}: {error}"
    if done.returncode == 0:
        return None
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in said if "Error: " in line]
    return (errors or said or [f"status {done.returncode}"])[-1]
