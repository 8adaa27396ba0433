"""The version of the portal, and whether the database is ready for it."""

import tomllib
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from db.environment import PROJECT
from db.schema.version import current_revision, required_revision

# Read from the only place that states it. The portal always runs from its own folder, so the file exists.
VERSION: Final[str] = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "version"
]


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The database's schema beside the one that this version needs; `current` is None before the first migration."""

    current: str | None
    required: str

    @property
    def why_not_ready(self) -> str | None:
        """None when the two are the same, else a sentence for the administrator."""
        if self.current == self.required:
            return None
        return f"The schema is at {self.current or 'no version'}, this version needs {self.required}."


def get_schema_state(connection: Connection) -> SchemaState:
    """Compare the database's schema with this version's; `connection` is the jobs' (`jobs_transaction`)."""
    return SchemaState(current_revision(connection), required_revision())
