"""Documents of orders, each download recorded."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from db.schema.audit_actions import AuditAction
from db.schema.order_tables import order_document
from services.access import Viewer
from services.audit import recording
from services.errors import NotFound
from services.text.numbers import is_bigint


class DocumentNotFound(NotFound):
    message = "There is no such document among the orders you can see."


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    media_type: str
    content: bytes


def get_document(
    connection: Connection, viewer: Viewer, document_id: int, *, address: str | None
) -> Document:
    """A document with its content; the audit row is written in the same transaction.

    Raises `DocumentNotFound` for a document that does not exist and for one of an order outside the scope.
    """
    row = None
    if is_bigint(document_id):
        row = connection.execute(
            select(order_document).where(
                order_document.c.id == document_id,
                order_document.c.checkout_page_id.in_([store.id for store in viewer.stores]),
            )
        ).one_or_none()
    if row is None:
        raise DocumentNotFound
    details = {"document": document_id, "kind": row.kind}
    recording.record(
        connection,
        viewer,
        AuditAction.DOWNLOAD_DOCUMENT,
        address=address,
        order_id=row.order_id,
        details=details,
    )
    return Document(row.name, row.media_type, bytes(row.content))
