"""The audit log: who did what to which order, from where. Rows are only ever added."""

from collections.abc import Mapping

from sqlalchemy import Connection, insert

from db.connections.engine import viewer_transaction
from db.schema.audit_actions import AuditAction
from db.schema.tables import audit_log
from services.access import Viewer
from services.errors import SupportError


def record(
    connection: Connection,
    viewer: Viewer,
    action: AuditAction,
    *,
    address: str | None,
    order_id: int | None = None,
    succeeded: bool = True,
    details: Mapping[str, object] | None = None,
) -> None:
    """Adds a row in the viewer's own transaction. `details` never holds what a customer could be known by."""
    # Inline: what is added may not be read back by the one who adds it, and a RETURNING would read.
    connection.execute(
        insert(audit_log)
        .inline()
        .values(
            account_id=viewer.account_id,
            account_email=viewer.email,
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
    """Adds a row about what was refused, in a transaction of its own: the one that was refused is undone."""
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
