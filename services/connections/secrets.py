"""Secrets of connections, in the form of Standard Webhooks 1.0.0: `whsec_` and base64 of 32 random bytes.

The app's role cannot read them: they are made and looked up as the jobs' role, and shown once.
"""

import base64
import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, insert, or_, select, update

from db.schema.connection_states import Purpose
from db.schema.connection_tables import connection_secret

PREFIX: Final = "whsec_"
# How long the older of two secrets stays valid after a rotation.
OVERLAP: Final = timedelta(days=2)


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def new_help_desk_secret() -> str:
    """A secret for a help desk, which takes 40 characters at most and uses them as they are (Help Scout's rule)."""
    return secrets.token_urlsafe(30)


def find_secrets(connection: Connection, connection_id: int, purpose: Purpose) -> tuple[str, ...]:
    """The valid secrets, newest first: two during a rotation. `connection` is a transaction of the jobs' role."""
    rows = connection.execute(
        select(connection_secret.c.secret)
        .where(
            connection_secret.c.connection_id == connection_id,
            connection_secret.c.purpose == purpose,
            or_(connection_secret.c.valid_until.is_(None), connection_secret.c.valid_until > func.now()),
        )
        .order_by(connection_secret.c.id.desc())
    )
    return tuple(rows.scalars())


def add_secret(connection: Connection, connection_id: int, purpose: Purpose, secret: str) -> datetime | None:
    """Make `secret` the connection's own; those before it stay valid for `OVERLAP`.

    Returns until when, or None for the first secret. `connection` is a transaction of the jobs' role.
    """
    older = connection.execute(
        update(connection_secret)
        .where(
            connection_secret.c.connection_id == connection_id,
            connection_secret.c.purpose == purpose,
            connection_secret.c.valid_until.is_(None),
        )
        .values(valid_until=func.now() + OVERLAP)
        .returning(connection_secret.c.valid_until)
    ).scalars()
    until: datetime | None = max(older, default=None)
    connection.execute(
        insert(connection_secret).values(connection_id=connection_id, purpose=purpose, secret=secret)
    )
    return until
