"""Rows per second and memory of an export, in turn with COPY of the same columns as the owner."""

import resource
import statistics
import time
from zoneinfo import ZoneInfo

import psycopg

from bench.orders import SEEN
from bench.results import Row
from db.connections import engine
from db.connections.roles import libpq_url
from services.access import get_viewer
from services.exports.columns import ExportRows
from services.exports.csv_file import export_orders
from services.orders.filters import OrderFilter

_ROUNDS = 5
_ORDER_COLUMNS = (
    "o.order_id, o.order_name, o.order_id_1c, p.name, o.status, o.delivered, o.refund_status, o.active_subscription, "
    "o.created_at, o.paid_at, o.currency, o.total, o.first_name, o.last_name, o.email, o.phone, o.company_name, "
    "o.vat_number, o.country, o.payment_method, o.card_last_4, o.customer_erased"
)
_ITEM_COLUMNS = (
    "i.position, i.name, i.sku, i.quantity, i.price, i.discount_percent, i.discount_amount, i.vat_amount, i.amount, "
    "i.delivered, i.refunded, i.license_first_name, i.license_last_name, i.license_email, (SELECT string_agg(c.code, "
    "'; ' ORDER BY c.number) FROM activation_code c WHERE c.order_id = i.order_id AND c.position = i.position)"
)
_SEEN = tuple(SEEN)
FLOORS = {
    ExportRows.ORDER: f"COPY (SELECT {_ORDER_COLUMNS} FROM orders o JOIN checkout_page p ON p.id = o.checkout_page_id "
    f"WHERE p.name IN {_SEEN}) TO STDOUT (FORMAT csv)",
    ExportRows.ITEM: f"COPY (SELECT {_ORDER_COLUMNS}, {_ITEM_COLUMNS} FROM orders o JOIN checkout_page p "
    f"ON p.id = o.checkout_page_id JOIN order_item i ON i.order_id = o.order_id WHERE p.name IN {_SEEN}) "
    "TO STDOUT (FORMAT csv)",
}


def measure(_: int, account_id: int) -> list[Row]:
    """One row for orders and one for items; raises `AssertionError` when the two give different numbers of rows."""
    results: list[Row] = []
    for rows, floor in FLOORS.items():
        ours, floors, firsts = [], [], []
        before = _peak_mb()
        for _round in range(_ROUNDS):
            number, seconds = copy_out(floor)
            floors.append(number / seconds)
            exported, seconds, first = _export(account_id, rows)
            assert exported == number > 0, f"{exported:,} rows of {rows} instead of {number:,}"
            ours.append(exported / seconds)
            firsts.append(first)
        results.append(
            {
                "one row": f"an {rows}",
                "rows": number,
                "rows/s": statistics.median(ours),
                "COPY rows/s": statistics.median(floors),
                "ratio": statistics.median(ours) / statistics.median(floors),
                "first rows, ms": statistics.median(firsts),
                "memory grew by, MB": max(0.0, _peak_mb() - before),
            }
        )
    return results


def copy_out(statement: str) -> tuple[int, float]:
    """Copy the rows of a statement as the owner; return their number and the seconds."""
    with psycopg.connect(libpq_url(engine.owner_url())) as connection, connection.cursor() as cursor:
        start, number = time.perf_counter(), 0
        with cursor.copy(statement) as copy:
            while piece := copy.read():
                number += bytes(piece).count(b"\n")
        return number, time.perf_counter() - start


def _export(account_id: int, rows: ExportRows) -> tuple[int, float, float]:
    """Export everything; return the number of rows, the seconds, and the milliseconds until the first row."""
    zone = ZoneInfo("UTC")
    with engine.viewer_transaction(account_id) as connection:
        viewer = get_viewer(connection, account_id)
        start, number, first = time.perf_counter(), -1, 0.0
        for piece in export_orders(connection, viewer, OrderFilter.empty(zone), rows=rows, zone=zone):
            number += piece.count(b"\n")
            if number > 0 and not first:
                first = (time.perf_counter() - start) * 1000
        return number, time.perf_counter() - start, first


def _peak_mb() -> float:
    """The most memory that this process has held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
