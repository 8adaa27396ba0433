"""Routes beside the pages: downloads for signed-in viewers, and the customer's page of an order.

Streamlit checks nothing on these addresses, so each route reads the viewer itself. A request without a session, one for
an order of another store and one for an order that does not exist get the same answer.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from db.connections.engine import anonymous_transaction, viewer_transaction
from db.schema.audit_actions import AuditAction
from pages.web.answers import PRIVATE, export_headers, file_answer, find_viewer, nothing
from pages.web.customer_page import customer_html, missing_html
from pages.web.export_stream import ExportStream
from pages.web.personal_data import personal_data
from pages.web.request import route_address
from services.access import Viewer
from services.audit.log import export_audit, open_audit_filter, record_audit_export
from services.audit.recording import record_refusal
from services.bulk.results_file import export_results
from services.errors import InvalidInput, NotAllowed, NotFound
from services.exports.columns import ExportRows
from services.exports.csv_file import export_orders
from services.exports.runs import begin_run, file_name, record_export
from services.exports.workbook import export_workbook
from services.orders.customer_page import CustomerPageNotFound, get_customer_document, get_customer_order
from services.orders.documents import get_document
from services.orders.filters import OrderFilter
from services.orders.saved_searches import open_search
from services.refund_report import RefundGrouping, export_refund_report
from services.text.numbers import is_bigint
from services.time_zones import find_time_zone

# The address of the customer's page is a key: links on it must not send it on, and nothing may frame it.
_CUSTOMER = PRIVATE | {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def document(request: Request) -> Response:
    viewer = find_viewer(request)
    if viewer is None:
        return nothing()
    number = request.path_params["document_id"]
    try:
        with viewer_transaction(viewer.account_id) as connection:
            return file_answer(get_document(connection, viewer, number, address=route_address(request)))
    except (NotFound, NotAllowed) as refusal:
        details = {"document": number if is_bigint(number) else None}
        record_refusal(
            viewer, AuditAction.DOWNLOAD_DOCUMENT, refusal, address=route_address(request), details=details
        )
        return nothing()


@dataclass(frozen=True, slots=True)
class _ExportChoice:
    """The options in an export's address: its rows, its columns by title (none for all), and the kind of its file."""

    rows: ExportRows
    titles: Sequence[str]
    ending: str


def export(request: Request) -> Response | ExportStream:
    """CSV or a workbook of the orders that a saved search finds.

    `rows=item` gives one row per item, and `column` (any number of them) some columns only. `run` is the ID under which
    the page follows the export; without it no page does.
    """
    viewer = find_viewer(request)
    if viewer is None:
        return nothing()
    choice = _ExportChoice(
        ExportRows.ITEM if request.query_params.get("rows") == "item" else ExportRows.ORDER,
        request.query_params.getlist("column"),
        request.path_params["ending"],
    )
    try:
        order_filter, run_id = _begin_export(request, viewer, choice)
    except (NotFound, NotAllowed, InvalidInput) as refusal:
        details = {"rows": choice.rows, "format": choice.ending}
        record_refusal(
            viewer, AuditAction.EXPORT_ORDERS, refusal, address=route_address(request), details=details
        )
        return nothing()
    return _order_stream(request, viewer, choice, order_filter, run_id)


def _begin_export(request: Request, viewer: Viewer, choice: _ExportChoice) -> tuple[OrderFilter, UUID | None]:
    """Record the export and begin its run; return the search and the run's ID."""
    if choice.ending not in ("csv", "xlsx"):
        raise NotFound
    with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
        order_filter = open_search(connection, viewer, request.path_params["key"])
        record_export(
            connection,
            viewer,
            order_filter,
            rows=choice.rows,
            address=route_address(request),
            ending=choice.ending,
            titles=choice.titles,
        )
        run_id = begin_run(connection, viewer, _run_id(request), rows=choice.rows, ending=choice.ending)
    return order_filter, run_id


def _order_stream(
    request: Request, viewer: Viewer, choice: _ExportChoice, order_filter: OrderFilter, run_id: UUID | None
) -> ExportStream:
    zone = find_time_zone(viewer.time_zone) or find_time_zone(order_filter.zone) or ZoneInfo("UTC")
    export_as = export_orders if choice.ending == "csv" else export_workbook

    def make(connection: Connection, on_rows: Callable[[int], None]) -> Iterator[bytes]:
        return export_as(
            connection,
            viewer,
            order_filter,
            rows=choice.rows,
            zone=zone,
            titles=choice.titles,
            on_rows=on_rows,
        )

    name = file_name(order_filter, choice.rows, zone, now=datetime.now(UTC))
    return ExportStream(
        viewer,
        run_id,
        order_filter,
        make,
        headers=export_headers(name, choice.ending),
        refused_headers=PRIVATE,
        is_session_valid=lambda: find_viewer(request) is not None,
        address=route_address(request),
    )


def audit_export(request: Request) -> Response | ExportStream:
    """CSV of the audit log. The filter is sealed, because the logs of other programs record addresses."""
    viewer = find_viewer(request)
    if viewer is None or not viewer.may_administer:
        return nothing()
    try:
        audit_filter = open_audit_filter(viewer, request.path_params["sealed"])
        with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
            record_audit_export(connection, viewer, audit_filter, address=route_address(request))
    except (NotFound, InvalidInput):
        return nothing()
    return ExportStream(
        viewer,
        None,
        None,
        lambda connection, on_rows: export_audit(connection, viewer, audit_filter, on_rows=on_rows),
        on_primary=True,
        headers=export_headers(f"audit-log_{datetime.now(UTC):%Y-%m-%d_%H%M%S}", "csv"),
        refused_headers=PRIVATE,
        is_session_valid=lambda: find_viewer(request) is not None,
    )


def refund_report_export(request: Request) -> Response:
    """CSV of the report on refunds, of the orders that a saved search finds."""
    viewer = find_viewer(request)
    if viewer is None:
        return nothing()
    try:
        grouping = RefundGrouping(request.path_params["grouping"].capitalize())
        with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
            order_filter = open_search(connection, viewer, request.path_params["key"])
            content = export_refund_report(
                connection, viewer, order_filter, grouping, address=route_address(request)
            )
    except (NotFound, NotAllowed, InvalidInput, ValueError):
        return nothing()
    name = f"refunds-by-{grouping.lower()}_{datetime.now(UTC):%Y-%m-%d_%H%M%S}"
    return Response(content, headers=export_headers(name, "csv"))


def bulk_results(request: Request) -> Response:
    """CSV of the results of a run of the viewer's own."""
    viewer = find_viewer(request)
    if viewer is None:
        return nothing()
    run_id = request.path_params["run_id"]
    zone = find_time_zone(viewer.time_zone) or ZoneInfo("UTC")
    try:
        with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
            content = export_results(connection, viewer, run_id, zone=zone, address=route_address(request))
    except (NotFound, NotAllowed):
        return nothing()
    return Response(content, headers=export_headers(f"run-{run_id}-results", "csv"))


def _run_id(request: Request) -> UUID | None:
    try:
        return UUID(request.query_params.get("run", ""))
    except ValueError:
        return None


def customer_page(request: Request) -> Response:
    key = request.path_params["page_key"]
    try:
        with anonymous_transaction() as connection:
            order = get_customer_order(connection, key)
    except CustomerPageNotFound as error:
        return HTMLResponse(missing_html(str(error)), 404, headers=_CUSTOMER)
    except OperationalError:
        return HTMLResponse(missing_html("Please try again in a minute."), 503, headers=_CUSTOMER)
    return HTMLResponse(customer_html(order, key), headers=_CUSTOMER)


def customer_document(request: Request) -> Response:
    try:
        with anonymous_transaction() as connection:
            requested = get_customer_document(
                connection, request.path_params["page_key"], request.path_params["document_id"]
            )
    except CustomerPageNotFound as error:
        return HTMLResponse(missing_html(str(error)), 404, headers=_CUSTOMER)
    return file_answer(requested)


ROUTES = [
    Route("/documents/{document_id:int}", document),
    Route("/bulk-run/{run_id:int}.csv", bulk_results),
    Route("/export/audit-log/{sealed}.csv", audit_export),
    Route("/export/refunds/{grouping}/{key}.csv", refund_report_export),
    Route("/export/{key}.{ending}", export),
    Route("/personal-data/{order_id:int}.{ending}", personal_data),
    Route("/o/{page_key}", customer_page),
    Route("/o/{page_key}/documents/{document_id:int}", customer_document),
]
