"""The route that hands out everything held of a person, to administrators."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from db.connections.engine import viewer_transaction
from db.schema.audit_actions import AuditAction
from pages.web.answers import PRIVATE, export_headers, find_viewer, nothing
from pages.web.export_stream import ExportStream
from pages.web.request import route_address
from services.audit.recording import record_refusal
from services.customers.access_files import export_person
from services.customers.access_request import record_person_export
from services.errors import NotAllowed, NotFound
from services.time_zones import find_time_zone


def personal_data(request: Request) -> Response | ExportStream:
    """Everything that is held of an order's customer, for administrators. The address names the order and nobody."""
    viewer, ending = find_viewer(request), request.path_params["ending"]
    if viewer is None or not viewer.may_administer or ending not in ("json", "xlsx"):
        return nothing()
    order_id, address = request.path_params["order_id"], route_address(request)
    zone = find_time_zone(viewer.time_zone) or ZoneInfo("UTC")
    try:
        with viewer_transaction(viewer.account_id, changes_orders=False) as connection:
            order_name = record_person_export(connection, viewer, order_id, ending=ending, address=address)
    except (NotFound, NotAllowed) as refusal:
        record_refusal(viewer, AuditAction.EXPORT_PERSON, refusal, address=address)
        return nothing()
    return ExportStream(
        viewer,
        None,
        None,
        lambda connection, _: export_person(connection, viewer, order_id, ending=ending, zone=zone),
        on_primary=True,
        headers=export_headers(f"personal-data_{order_name}_{datetime.now(UTC):%Y-%m-%d}", ending),
        refused_headers=PRIVATE,
        is_session_valid=lambda: find_viewer(request) is not None,
    )
