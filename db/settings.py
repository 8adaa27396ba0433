"""The address of the database: the variables that db/ itself depends on. See services/settings.py for the others."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from db import environment
from db.environment import PROJECT, SettingsError, has_valid_port

_POSTGRES_SCHEMES: Final = ("postgres", "postgresql", "postgresql+psycopg")
_NAMES: Final = (
    *("DATABASE_URL", "ESUPPORT_APP_DATABASE_URL", "ESUPPORT_WEB_JOBS_DATABASE_URL"),
    *("DATABASE_READ_URL", "ESUPPORT_DATA", "ESUPPORT_IDLE_MINUTES"),
)


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Addresses of the database, in SQLAlchemy's form (`postgresql+psycopg://`).

    `database_url` is the owner's; None means the embedded server in `data_dir`, which is absolute (a relative one
    counts from the project's root). Without `database_read_url` the primary answers every read. The database ends a
    session that has not been used for `idle_minutes`.
    """

    database_url: str | None
    app_database_url: str | None
    web_jobs_database_url: str | None
    database_read_url: str | None
    data_dir: Path
    idle_minutes: int


def database_settings() -> DatabaseSettings:
    """The settings in force; parsed again only when one of their variables has changed. Raises `SettingsError`."""
    return _parse(environment.snapshot(_NAMES))


@lru_cache(maxsize=4)
def _parse(_: tuple[str | None, ...]) -> DatabaseSettings:
    return DatabaseSettings(
        database_url=environment.optional("DATABASE_URL", _postgres_url),
        app_database_url=environment.optional("ESUPPORT_APP_DATABASE_URL", _postgres_url),
        web_jobs_database_url=environment.optional("ESUPPORT_WEB_JOBS_DATABASE_URL", _postgres_url),
        database_read_url=environment.optional("DATABASE_READ_URL", _postgres_url),
        data_dir=_folder("ESUPPORT_DATA", environment.read("ESUPPORT_DATA")),
        idle_minutes=environment.whole_number(
            "ESUPPORT_IDLE_MINUTES",
            environment.read("ESUPPORT_IDLE_MINUTES") or "30",
            largest=720,
            unit=" of minutes",
        ),
    )


def _folder(name: str, value: str | None) -> Path:
    if value is None:
        return PROJECT / ".data"
    try:
        folder = PROJECT / Path(value).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{name} names the home folder of a user that does not exist.") from error
    # The server keeps its folder's path on a line of its own in its lock file.
    if any(not character.isprintable() for character in value):
        raise SettingsError(f"{name} must not contain line breaks or other control characters.")
    return folder


def _postgres_url(name: str, value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if scheme not in _POSTGRES_SCHEMES or not separator or not has_valid_port(value):
        raise SettingsError(
            f"{name} must be an address such as postgresql://user:password@host:5432/database."
        )
    return f"postgresql+psycopg://{rest}"
