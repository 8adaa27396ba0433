"""The commands of `python -m db`. Their results go to standard output, everything else to standard error."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import psycopg
import sqlalchemy.exc
from sqlalchemy import text
from tqdm import tqdm

from db.connections import engine
from db.connections.roles import app_url, libpq_url
from db.embedded.local_secrets import DataFolderError
from db.embedded.server import EmbeddedDatabaseError
from db.environment import SettingsError
from db.operations.backup import BackupError
from db.operations.occupancy import occupancy
from db.schema.migrate import migrate as migrate_database
from db.settings import database_settings
from services.errors import SupportError

Command = Callable[[argparse.Namespace], int]
_SHOWN_KEYS = 20


def in_sentences(options: argparse.Namespace) -> int:
    """Run a command; an error becomes a sentence on standard error and exit status 1."""
    run: Command = options.run
    try:
        return run(options)
    except (SupportError, SettingsError, BackupError, EmbeddedDatabaseError, DataFolderError) as error:
        _say(str(error))
    except (sqlalchemy.exc.OperationalError, psycopg.OperationalError) as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        _say(f"The database does not answer: {reason}")
    except BrokenPipeError:
        # The reader of the output has gone; nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        _say("Stopped; nothing of what was under way is kept.")
        return 130
    finally:
        engine.dispose_engines()
    return 1


def migrate(options: argparse.Namespace) -> int:
    ran = migrate_database(engine.owner_url())
    print("Ran " + ", ".join(ran) + "." if ran else "The schema is up to date.")
    return 0


def import_files(options: argparse.Namespace) -> int:
    from services.importing.document import iter_lines
    from services.importing.importer import ImportResult, import_orders

    _up_to_date()
    total = ImportResult()
    for name in options.files:
        try:
            with (
                _opened(name) as (file, size),
                engine.jobs_transaction() as connection,
                tqdm(total=size, unit="B", unit_scale=True, desc=name, disable=None, file=sys.stderr) as bar,
            ):
                result = import_orders(connection, iter_lines(file), progress=bar.update)
        except SupportError as error:
            _say(f"{name}: {error} Nothing of this file was kept.")
            return 1
        except OSError as error:
            _say(f"{name}: {error.strerror or error}. Nothing of this file was kept.")
            return 1
        for path, (times, first) in list(result.unknown_keys.items())[:_SHOWN_KEYS]:
            _say(
                f"Warning: {name}: the unknown key {path} was left out (lines: {times:,}, the first: {first:,})."
            )
        if (more := len(result.unknown_keys) - _SHOWN_KEYS) > 0:
            _say(f"Warning: {name}: {more:,} more unknown keys were left out.")
        total.inserted += result.inserted
        total.updated += result.updated
        total.unchanged += result.unchanged
    _analyze(total.inserted)
    print(f"{total.inserted} inserted, {total.updated} updated, {total.unchanged} unchanged")
    return 0


def demo(options: argparse.Namespace) -> int:
    from services.demo.fill import fill_demo

    address = _up_to_date()
    if not options.force and not occupancy(address).is_empty:
        _say("The database is not empty. Demo data goes in beside what is there with --force.")
        return 1
    with (
        tqdm(total=options.orders, unit=" orders", desc="Demo", disable=None, file=sys.stderr) as bar,
        engine.jobs_transaction() as connection,
    ):
        made = fill_demo(connection, options.orders, seed=options.seed, progress=bar.update)
    _analyze(made.inserted)
    print(f"{made.inserted} inserted, {made.updated} updated, {made.unchanged} unchanged")
    return 0


def url(options: argparse.Namespace) -> int:
    address = _up_to_date()
    print(libpq_url(address if options.owner else app_url(address)))
    return 0


def stop(options: argparse.Namespace) -> int:
    if database_settings().database_url is not None:
        _say("DATABASE_URL names a server, which this command does not stop.")
        return 1
    from db.embedded import server

    server.stop(database_settings().data_dir)
    return 0


def backup(options: argparse.Namespace) -> int:
    from db.operations.backup import backup as write_backup

    write_backup(engine.owner_url(), options.file)
    return 0


def restore(options: argparse.Namespace) -> int:
    from db.operations.backup import restore as read_backup

    read_backup(engine.owner_url(), options.file)
    return 0


def maintain(options: argparse.Namespace) -> int:
    from services.privacy.retention import apply_retention

    _up_to_date()
    with engine.jobs_transaction() as connection:
        done = apply_retention(connection)
    for label, number in done.items():
        print(f"{label}: {number:,}")
    return 0


def account(options: argparse.Namespace) -> int:
    from services.accounts.creation import create_account

    _up_to_date()
    with engine.jobs_transaction() as connection:
        password = create_account(
            connection,
            email=options.email,
            name=options.name,
            role=options.role,
            stores=options.store,
            all_stores=options.all_stores,
        )
    print(f"One-time password for {options.email}: {password}")
    return 0


def _up_to_date() -> str:
    """The owner's address of a database whose schema is that of this version."""
    address = engine.owner_url()
    migrate_database(address)
    return address


def _analyze(inserted: int) -> None:
    """Update PostgreSQL's statistics: plans for an almost empty table would remain until it does so itself."""
    if inserted >= 100:
        with engine.owner_engine().begin() as connection:
            connection.execute(text("ANALYZE"))


@contextmanager
def _opened(name: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """The file and its size, None when that is not known (a pipe)."""
    if name == "-":
        yield sys.stdin.buffer, None
        return
    with Path(name).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        yield file, size or None


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
