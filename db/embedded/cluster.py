"""Create a cluster, with its settings and its superuser's password, and run PostgreSQL's own programs for it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from db.embedded.home import EmbeddedDatabaseError, Home, binaries, remember_home
from db.embedded.local_secrets import secret, sync_folder
from db.embedded.processes import run_as

SUPERUSER = "esupport"
PASSWORD = "database_superuser"  # noqa: S105 - the secret's name

# Written into postgresql.conf when the cluster is created; an administrator may change them there later. Durability
# settings keep PostgreSQL's safe defaults. The log contains neither statements nor the DETAIL of an error, since both
# quote customers' data.
_CONFIGURATION = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


def make_cluster(data_dir: Path, home: Home) -> None:
    """Create the cluster beside its final folder and move it there whole, so that a killed initdb leaves no partial
    one.
    """
    for leftover in home.folder.glob(".postgres-init-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    workshop = Path(tempfile.mkdtemp(prefix=".postgres-init-", dir=home.folder))
    try:
        password_file = workshop / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(secret(data_dir, PASSWORD) + "\n")
        if home.account.is_other:
            os.chown(password_file, home.account.uid, home.account.gid)
            os.chown(workshop, home.account.uid, home.account.gid)
        options = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8", "-E", "UTF8"]
        options += ["-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={password_file}"]
        options += ["-D", str(workshop / "new")]
        options += [f"--set={name}={value}" for name, value in _CONFIGURATION.items()]
        result = run_program(home, "initdb", options)
        if result.returncode != 0:
            raise EmbeddedDatabaseError(f"The database could not be made: {last_line(result.stderr)}")
        (workshop / "new").rename(home.cluster)
        sync_folder(home.folder)
        remember_home(data_dir, home)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def run_program(home: Home, program: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs to its end as the server's account; the caller checks its exit status."""
    path = binaries(home) / program
    try:
        return run_as(home.account, [str(path), *arguments])
    except OSError as error:
        raise EmbeddedDatabaseError(f"{path} cannot be run: {error.strerror}.") from error


def last_line(text: str) -> str:
    """The line of a program's output or log that most likely says why it failed."""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "FATAL" in line or "error:" in line]
    return (errors or lines or ["no reason was given."])[-1].strip()
