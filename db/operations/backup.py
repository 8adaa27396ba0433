"""Back the whole database up into one file, consistently, and restore it into an empty one."""

import contextlib
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from db.embedded import server as embedded

_USER_TABLES = """
SELECT n.nspname || '.' || c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND
  d.deptype = 'e')
ORDER BY 1 LIMIT 1
"""


# PostgreSQL 15.20 marks every column with a number of its own. Its pg_dump omits the mark, but an older pg_dump of a
# later major version writes it, and servers that do not know it reject it.
_INTERNAL = re.compile(rb"ALTER TABLE ONLY \S+ ALTER COLUMN \S+ SET \(pg_attver=\d+\);\n")


class BackupError(Exception):
    """A backup or a restore that did not happen; the text is a sentence that says why."""


def backup(owner_url: str, file: Path) -> None:
    """Write the database in its present state to the file, in pg_dump's custom format, mode 0600.

    The portal may keep running: pg_dump reads one snapshot, and as the owner it is not bound by row-level
    security. An existing file is replaced only by a complete new one. Raises `BackupError`.
    """
    file = file.absolute()
    program = _program("pg_dump", owner_url)
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(6)}")
    try:
        # Made beforehand, because pg_dump would give it the umask's mode and the content is personal data.
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        options, environment = _connection_options(owner_url)
        command = [str(program), *options, "--format=custom", f"--file={temporary}"]
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
        )
        if done.returncode != 0:
            raise BackupError(
                f"The backup was not made: {_first_error(done.stderr.decode(errors='replace'))}"
            )
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(file)
    except OSError as error:
        raise BackupError(f"The backup was not made: {file}: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def restore(owner_url: str, file: Path) -> None:
    """Fill an empty database from a file that `backup` wrote: all of it, in one transaction, or nothing.

    Refuses a database that has any table or view of its own. Raises `BackupError`.
    """
    file = file.absolute()
    try:
        with file.open("rb") as opened:
            if opened.read(5) != b"PGDMP":
                raise BackupError(f"{file} is not a backup that this program made.")
    except OSError as error:
        raise BackupError(f"{file} cannot be read: {error.strerror}.") from error
    with _connect(owner_url) as connection:
        table = connection.execute(_USER_TABLES).fetchone()
    if table is not None:
        raise BackupError(f"The database is not empty (it has {table[0]}); restore into an empty one.")
    from db.connections.roles import (
        ensure_app_role,  # roles are outside the database, so the file cannot contain them
    )

    ensure_app_role(owner_url)
    _replay(owner_url, file)


def _replay(owner_url: str, file: Path) -> None:
    """Send the file's content through psql in one transaction, adapted to the server that reads it.

    This function sends the COMMIT, and only after pg_restore has succeeded: with a damaged file, or if this process
    dies, the connection closes before it and the server rolls everything back.
    """
    with _connect(owner_url) as connection:
        collation = connection.execute("SELECT FROM pg_collation WHERE collname = 'pg_c_utf8'").fetchone()
        adapt = _adapter(connection.info.server_version // 10000, collation is not None)
    reader = max([embedded.binary("pg_restore"), *_installed("pg_restore")], key=_major_version)
    options, environment = _connection_options(owner_url)
    writer = [str(_program("psql", owner_url)), *options, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"]
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            [reader, "--no-owner", "-f", "-", file],
            stdout=subprocess.PIPE,
            stderr=complaints,
            stdin=subprocess.DEVNULL,
        ) as read,
        subprocess.Popen(
            writer, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints
        ) as write,
    ):
        assert read.stdout is not None and write.stdin is not None  # noqa: S101 - what PIPE means
        with contextlib.suppress(BrokenPipeError):  # psql has met an error and said so
            write.stdin.write(b"BEGIN;\n")
            write.stdin.writelines(_adapted(read.stdout, adapt))
            if read.wait() == 0:
                write.stdin.write(b"COMMIT;\n")
        with contextlib.suppress(BrokenPipeError):
            write.stdin.close()
        read.stdout.close()
        failed = [read.wait(), write.wait()] != [0, 0]
        complaints.seek(0)
        if failed:
            raise BackupError(
                f"Nothing was restored: {_first_error(complaints.read().decode(errors='replace'))}"
            )


def _adapter(server: int, has_builtin_collation: bool) -> Callable[[bytes], bytes]:
    """A function that adapts a line of a dump, so that a dump of one major version fits a server of another.

    The portal's text functions name the Unicode collation that their server had. The columns that they compute are
    generated, so the restoring server computes them anew, in agreement with its own functions.
    """
    there, here = b'COLLATE "und-x-icu"', b"COLLATE pg_c_utf8"
    if not has_builtin_collation:
        there, here = here, there

    def adapt(line: bytes) -> bytes:
        if _INTERNAL.match(line) or (server < 17 and line.startswith(b"SET transaction_timeout = ")):
            return b""
        return line.replace(there, here)

    return adapt


def _adapted(lines: Iterable[bytes], adapt: Callable[[bytes], bytes]) -> Iterator[bytes]:
    in_data = False
    for line in lines:
        if in_data:
            in_data = line != b"\\.\n"
            yield line
        else:
            in_data = line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n")
            yield adapt(line)


def _program(name: str, owner_url: str) -> Path:
    """The program to use with that server: it can encrypt if the driver does, and is not older than the server.

    The system's program of exactly the server's major version is preferred, because it receives the same corrections;
    the wheel's comes next. The wheel's cannot use TLS and would fall back to plain text if the server allows it.
    """
    with _connect(owner_url) as connection:
        server, encrypted = connection.info.server_version // 10000, connection.pgconn.ssl_in_use
    installed = _installed(name)
    same = [program for program in installed if _major_version(program) == server]
    for program in [*same, *([] if encrypted else [embedded.binary(name)]), *installed]:
        if _major_version(program) >= server:
            return program
    how = "with TLS" if encrypted else f"of version {server} or later"
    raise BackupError(f"No {name} {how} was found; install postgresql-client-{server}.")


def _installed(name: str) -> list[Path]:
    """The system's programs of that name, newest first: Debian keeps every version in a folder of its own."""
    paths: list[Path] = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=_major_version, reverse=True
    )
    on_path = shutil.which(name)
    return [*([Path(on_path)] if on_path else []), *paths]


def _major_version(program: Path) -> int:
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\) (\d+)", printed)
    return int(match[1]) if match else 0


def _connection_options(owner_url: str) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment; the password is in the latter, where the process list does not show it."""
    parts = {
        name: str(value) for name, value in conninfo_to_dict(_libpq(owner_url)).items() if value is not None
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment |= {"PGPASSWORD": parts.pop("password", ""), "LC_ALL": "C.UTF-8"}
    return ["--no-password", f"--dbname={make_conninfo(**parts)}"], environment


def _first_error(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return next(
        (line for line in lines if "error" in line.lower()), lines[0] if lines else "no reason was given."
    )


def _connect(owner_url: str) -> psycopg.Connection[tuple[object, ...]]:
    try:
        return psycopg.connect(_libpq(owner_url), connect_timeout=10)
    except psycopg.OperationalError as error:
        raise BackupError(f"The database does not answer: {error}") from error


def _libpq(url: str) -> str:
    """SQLAlchemy's form of an address in the form that PostgreSQL's own programs read."""
    return re.sub(r"^postgresql\+psycopg://", "postgresql://", url)
