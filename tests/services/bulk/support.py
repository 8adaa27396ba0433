"""Runs for tests: begun as a page begins them, carried out as the worker carries them out."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from db.connections.engine import viewer_transaction
from db.schema.bulk_states import BulkKind
from services.actions import ActionRequest, perform
from services.bulk.preview import Preview, preview_orders
from services.bulk.runs import BulkRun, find_outcomes, find_runs, start_run
from services.bulk.working import work_due
from tests.support import factories
from tests.support.factories import document, run


def orders(number: int, **fields: Any) -> list[int]:
    made = [document(**fields) for _ in range(number)]
    factories.take_in(*made)
    return [int(order["order_id"]) for order in made]


def preview(account_id: int, kind: BulkKind, order_ids: Sequence[int]) -> Preview:
    viewer = factories.viewer(account_id)
    with viewer_transaction(viewer.account_id) as connection:
        return preview_orders(connection, viewer, order_ids, kind=kind)


def start(
    account_id: int,
    kind: BulkKind,
    order_ids: Sequence[int] | Preview,
    *,
    text: str = "the outage",
    key: UUID | None = None,
) -> str:
    """What a page does when the dialog is confirmed; the sentence."""
    chosen = order_ids if isinstance(order_ids, Preview) else preview(account_id, kind, order_ids)
    request = ActionRequest(key=key or uuid4(), address="192.0.2.1")
    return perform(
        factories.viewer(account_id),
        request,
        start_run,
        chosen,
        text=text,
        typed_number=str(len(chosen.able)),
        address="192.0.2.1",
    )


def finished(account_id: int, kind: BulkKind, order_ids: Sequence[int], *, text: str = "x") -> BulkRun:
    start(account_id, kind, order_ids, text=text)
    work_due()
    return newest(account_id)


def newest(account_id: int) -> BulkRun:
    viewer = factories.viewer(account_id)
    with viewer_transaction(viewer.account_id) as connection:
        return find_runs(connection, viewer, limit=1)[0]


def outcomes(account_id: int, run_id: int) -> dict[int, tuple[str, str | None]]:
    """By order, its state and the reason."""
    viewer = factories.viewer(account_id)
    with viewer_transaction(viewer.account_id) as connection:
        return {o.order_id: (o.state.value, o.reason) for o in find_outcomes(connection, viewer, run_id)}


def notes(order_ids: Sequence[int], text: str) -> Counter[int]:
    """How often each of the orders has this line of the history."""
    rows = run(
        "SELECT order_id FROM order_history WHERE order_id = ANY (:ids) AND text LIKE '%' || :text || '%'",
        ids=list(order_ids),
        text=text,
    )
    return Counter(row.order_id for row in rows)
