"""The recorded state of the mail server: what it offers, and what is wrong with it or with its settings here.

The worker finds out when it starts and with each connection, and stores it in a table of one row. The pages read it, so
that they promise only what the worker can do. Without `SMTP_URL` mails stay in the mail log, and any well-formed
address is accepted. While the state of the configured server is unknown, addresses that need SMTPUTF8 are refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.schema.mail_tables import mail_server
from services.mail.addresses import Utf8, is_ascii, why_not_mailable
from services.mail.server_address import server_of
from services.settings import settings

_THE_ROW: Final = True


@dataclass(frozen=True, slots=True)
class KnownServer:
    """`address` is host and port. `trouble` is the reason why nothing has been sent since `trouble_since`, or None."""

    address: str
    takes_utf8: bool | None
    seen_at: datetime | None
    trouble: str | None
    trouble_since: datetime | None


def find_mail_server(connection: Connection) -> KnownServer | None:
    """The state of the configured server; None when no server is configured or its state is unknown."""
    smtp_url = settings().mail.smtp_url
    if smtp_url is None:
        return None
    fields = [mail_server.c[name] for name in KnownServer.__slots__]
    row = connection.execute(
        select(*fields).where(mail_server.c.address == server_of(smtp_url).address)
    ).one_or_none()
    return None if row is None else KnownServer(*row)


def find_utf8(connection: Connection) -> Utf8:
    """Whether the configured mail server accepts letters outside ASCII before the @."""
    if settings().mail.smtp_url is None:
        return Utf8.TAKEN
    state = find_mail_server(connection)
    if state is None or state.takes_utf8 is None:
        return Utf8.UNKNOWN
    return Utf8.TAKEN if state.takes_utf8 else Utf8.REFUSED


def find_utf8_for(connection: Connection, addresses: Iterable[str | None]) -> Utf8:
    """The same, but asks the database only when one of the addresses makes a difference."""
    if all(is_ascii(address) for address in addresses):
        return Utf8.TAKEN
    return find_utf8(connection)


def why_not_mailed(connection: Connection, address: str | None) -> str | None:
    """None when a message to this address can be sent, as far as is known, otherwise a sentence with the reason."""
    return why_not_mailable(address, find_utf8_for(connection, [address]))


def record_offer(connection: Connection, address: str, *, takes_utf8: bool) -> None:
    """Record what the server offered just now. `connection` is a transaction of the jobs' role, as in all below."""
    _keep(connection, address, takes_utf8=takes_utf8, seen_at=func.now())


def record_trouble(connection: Connection, address: str, trouble: str) -> None:
    """Record why nothing can be sent. The time is when the trouble began, even if its text has changed since."""
    began = func.coalesce(mail_server.c.trouble_since, func.now())
    _keep(connection, address, trouble=trouble, trouble_since=began)


def record_success(connection: Connection, address: str) -> None:
    """Record that the server has accepted the sender again."""
    connection.execute(
        update(mail_server)
        .where(mail_server.c.address == address, mail_server.c.trouble.is_not(None))
        .values(trouble=None, trouble_since=None)
    )


def _keep(connection: Connection, address: str, **values: object) -> None:
    # The state of another server says nothing about this one.
    connection.execute(
        update(mail_server)
        .where(mail_server.c.address != address)
        .values(address=address, takes_utf8=None, seen_at=None, trouble=None, trouble_since=None)
    )
    first = {**values, "trouble_since": func.now()} if "trouble_since" in values else values
    connection.execute(
        insert(mail_server)
        .values(id=_THE_ROW, address=address, **first)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )
