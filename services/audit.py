"""The audit log: who did what to which order, from where. Rows are only ever added."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert

from db.tables import audit_log
from services.access import Viewer


def record(
    connection: Connection,
    viewer: Viewer,
    action: str,
    *,
    address: str | None,
    order_id: int | None = None,
    succeeded: bool = True,
    details: Mapping[str, Any] | None = None,
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
