"""The audit log: who did what to which order, from where. Rows are only ever added."""

from collections.abc import Mapping

from sqlalchemy import Connection, insert

from db.connections.engine import viewer_transaction
from db.schema.audit_actions import AuditAction
from db.schema.portal_tables import audit_log
from services.access import Author, Viewer
from services.errors import SupportError


def record(
    connection: Connection,
    author: Author,
    action: AuditAction,
    *,
    address: str | None,
    order_id: int | None = None,
    succeeded: bool = True,
    details: Mapping[str, object] | None = None,
) -> None:
    """Add a row in the transaction of what it records.

    A customer's e-mails may be in `details` (a corrected one is); deleting a person's data cuts them out.
    """
    # Inline: the account that adds a row may not read it back, and a RETURNING would read.
    connection.execute(
        insert(audit_log)
        .inline()
        .values(
            account_id=author.account_id,
            account_email=author.email,
            action=action,
            order_id=order_id,
            address=address,
            succeeded=succeeded,
            details=dict(details or {}),
        )
    )


def record_refusal(
    viewer: Viewer,
    action: AuditAction,
    refusal: SupportError,
    *,
    address: str | None,
    order_id: int | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Add a row about a refused attempt, in a transaction of its own: the refused one is rolled back."""
    with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
        record(
            connection,
            viewer,
            action,
            address=address,
            order_id=order_id,
            succeeded=False,
            details=dict(details or {}) | {"reason": str(refusal)},
        )
