"""Mail to the administrators about a connection that was given up on, or that the shop has switched off."""

from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, or_, select, true, update

from db.schema.account_tables import account
from db.schema.connection_tables import connection as connection_table
from db.schema.order_tables import checkout_page
from db.schema.roles_of_accounts import Role
from db.schema.statuses import MailKind
from services.mail.outbox import queue_mail
from services.settings import settings

# A trouble that lasts is reported again, but no more often than this.
_REPORTED_EVERY: Final = timedelta(days=1)
_GIVEN_UP: Final = (
    "Events could not be delivered for more than three days, and the first of them was given up."
)
_SWITCHED_OFF: Final = (
    "The shop answered that this address is gone (410), so the connection was switched off. "
    "What waits is kept until an administrator switches it on again."
)


def report_given_up(connection: Connection, connection_id: int) -> None:
    """Tell the administrators that events are given up; once a day and connection at most."""
    last = connection_table.c.reported_at
    _report(connection, connection_id, _GIVEN_UP, or_(last.is_(None), last < func.now() - _REPORTED_EVERY))


def report_switched_off(connection: Connection, connection_id: int) -> None:
    """Tell the administrators that the shop has switched a connection off."""
    _report(connection, connection_id, _SWITCHED_OFF, true())


def _report(connection: Connection, connection_id: int, event: str, is_due: ColumnElement[bool]) -> None:
    reported = connection.execute(
        update(connection_table)
        .where(connection_table.c.id == connection_id, is_due)
        .values(reported_at=func.now())
        .returning(connection_table.c.name, connection_table.c.checkout_page_id, connection_table.c.trouble)
    ).one_or_none()
    if reported is None:
        return
    store = connection.execute(
        select(checkout_page.c.name).where(checkout_page.c.id == reported.checkout_page_id)
    ).scalar_one()
    values = {
        "connection": reported.name,
        "store": store,
        "event": event,
        "trouble": reported.trouble,
        "portal": settings().web.base_url,
    }
    for administrator in connection.execute(
        select(account.c.email, account.c.name)
        .where(account.c.role == Role.ADMINISTRATOR, account.c.disabled_at.is_(None))
        .order_by(account.c.id)
    ):
        queue_mail(
            connection,
            kind=MailKind.CONNECTION,
            to_address=administrator.email,
            to_name=administrator.name,
            template_values=values | {"name": administrator.name},
        )
