"""Generated secrets, kept in `secrets.json` of the data folder and readable by its owner alone."""

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

_LOCK_PATIENCE_SECONDS = 180.0


class DataFolderError(Exception):
    """The data folder cannot be used as it is; the text is a sentence that says why."""


def secret(data_dir: Path, name: str) -> str:
    """The secret of that name: 43 URL-safe characters from 32 random bytes, made on the first call.

    Two processes that ask for a new one at the same time get the same one. Raises `DataFolderError` when the file is
    unreadable: making a new secret then would lock the owner out of what the old one protects.
    """
    stored = _read(data_dir)
    if name not in stored:
        with locked(data_dir, "secrets.lock"):
            stored = _read(data_dir)
            if name not in stored:
                stored[name] = secrets.token_urlsafe(32)
                _write(data_dir, stored)
    return stored[name]


def has_secret(data_dir: Path, name: str) -> bool:
    """Whether that secret exists; raises as `secret` does."""
    return name in _read(data_dir)


def make_data_dir(data_dir: Path) -> None:
    """Create the data folder if it is missing; an existing one keeps its permissions.

    As root, others may pass through it (0711) but not list it: the database server runs under another account and has
    its own folder inside. The files beside that folder are closed one by one.
    """
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
    except OSError as error:
        raise DataFolderError(f"The data folder {data_dir} cannot be created: {error.strerror}.") from error


@contextlib.contextmanager
def locked(data_dir: Path, name: str) -> Iterator[None]:
    """Keep other processes (and threads) out of the block. The kernel frees the lock when its holder is killed."""
    make_data_dir(data_dir)
    try:
        descriptor = os.open(data_dir / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise DataFolderError(f"{data_dir / name} cannot be opened: {error.strerror}.") from error
    try:
        deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
        while not try_lock(descriptor):
            if time.monotonic() > deadline:
                raise DataFolderError(f"Another process has been holding {data_dir / name} for minutes.")
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Whether the open file could be locked at once; closing it releases the lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 so that a power cut leaves the old content or the new, never a part."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in that folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(data_dir: Path) -> dict[str, str]:
    file = data_dir / "secrets.json"
    try:
        stored = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DataFolderError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise DataFolderError(f"{file} is damaged; put back the copy from your backup.") from error
    if not isinstance(stored, dict) or not all(isinstance(value, str) for value in stored.values()):
        raise DataFolderError(f"{file} is damaged; put back the copy from your backup.")
    return stored


def _write(data_dir: Path, values: dict[str, str]) -> None:
    write_private(data_dir / "secrets.json", json.dumps(values, indent=2, sort_keys=True).encode() + b"\n")
