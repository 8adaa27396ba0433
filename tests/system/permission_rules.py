"""Who may call what: a row per public function with a viewer, and how each is called."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from db.schema.bulk_states import BulkKind
from db.schema.connection_states import ConnectionKind, InboxState, Purpose
from services.access import Role
from services.accounts.administration import Grants
from services.audit.log import AuditFilter
from services.bulk.preview import Preview
from services.connections.form import ConnectionForm
from services.connections.kinds import new_key
from services.exports.columns import ExportRows
from services.exports.runs import RunState
from services.mail.customer_texts import RefundText
from services.orders.filters import OrderFilter
from services.privacy.erasure import Part
from services.refund_report import RefundGrouping
from services.refunds.queue import QueueView
from services.views.models import ExportChoice

EVERYBODY = frozenset(Role)


ACTING = EVERYBODY - {Role.ANALYST}


OPERATORS = frozenset({Role.REFUND_OPERATOR, Role.ADMINISTRATOR})


ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})


UTC = ZoneInfo("UTC")
# An order among the stores of everybody but the administrator, and one that is not.
OWN, FOREIGN = 1, 2


@dataclass(frozen=True)
class Rule:
    """Who may, and how it is called: `arguments` are made from what stands for the order (its ID, its code's, …)."""

    roles: frozenset[Role]
    arguments: Callable[[dict[str, int]], tuple[tuple[Any, ...], dict[str, Any]]]
    # Whether it is about one order, so that a foreign one is like none.
    is_scoped: bool = False


def call(*names: str, **named: Any) -> Callable[[dict[str, int]], tuple[tuple[Any, ...], dict[str, Any]]]:
    """Arguments by what they stand for; named ones that are such a name are looked up as well."""

    def made(target: dict[str, int]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        looked_up = {
            key: target[value] if isinstance(value, str) and value in target else value
            for key, value in named.items()
        }
        return tuple(target[name] for name in names), looked_up

    return made


def fixed(
    *arguments: Any, **named: Any
) -> Callable[[dict[str, int]], tuple[tuple[Any, ...], dict[str, Any]]]:
    return lambda _: (arguments, named)


def empty() -> OrderFilter:
    return OrderFilter.empty(UTC)


# No export of anybody's: whose they are is what tests/services/exports/test_runs.py is about.
RUN = uuid4()


GRANTS = Grants(Role.ANALYST)


STORE = {
    "title": "x", "delivery_allowed": True, "refund_again_after_partial": False, "time_zone": None,
    "refund_document_methods": None, "refund_four_eyes": True, "refund_approval_limits": "EUR 5",
    "refund_mail": False, "refund_limit_hours": None,
}  # fmt: skip


TEAM = {"name": "x", "members": [], "stores": []}


TEXT = {"subject": "x", "body": "{{ order }} {{ sum }}"}


NOTE = {"note": "x"}


FULFIL = NOTE | {"positions": [1], "expected_amount": Decimal(10), "delete_codes": True, "stop_renewal": True}


# A refund that somebody else decided.
DECIDED_AT = datetime(2026, 3, 2, tzinfo=UTC)


# An action of the own order that waits for an answer.
AWAITED = uuid4()


FORM = ConnectionForm(name="x")


PERIOD = {
    "states": [InboxState.REFUSED],
    "since": datetime(2026, 1, 1, tzinfo=UTC),
    "until": datetime(2100, 1, 1, tzinfo=UTC),
}


RULES = {
    # Orders: what somebody sees.
    "orders.detail.get_order": Rule(EVERYBODY, call("order"), True),
    "orders.detail.check_order": Rule(EVERYBODY, call("order"), True),
    "orders.detail.get_orders": Rule(EVERYBODY, fixed([OWN])),
    "orders.documents.get_document": Rule(EVERYBODY, call("document", address=None), True),
    "orders.search.find_orders": Rule(EVERYBODY, fixed(empty())),
    "orders.search.count_orders": Rule(EVERYBODY, fixed(empty())),
    "orders.search.missing_ids": Rule(EVERYBODY, fixed(empty())),
    "recognition.counting.count_rivals": Rule(EVERYBODY, fixed([empty()])),
    "orders.opened.find_opened": Rule(EVERYBODY, fixed()),
    # Views: whose they are is what tests/services/views is about.
    "views.listing.find_views": Rule(EVERYBODY, fixed()),
    "views.listing.find_view_teams": Rule(EVERYBODY, fixed()),
    "views.listing.count_views": Rule(EVERYBODY, fixed((), zone=UTC)),
    "views.listing.find_view": Rule(EVERYBODY, call("view")),
    "views.listing.move_view": Rule(EVERYBODY, call("view", up=True)),
    "views.changes.save_view": Rule(
        EVERYBODY, fixed(name="x", team_id=None, search=empty(), export=ExportChoice())
    ),
    # A team's, by somebody else of the team.
    "views.changes.change_view": Rule(ADMINISTRATORS, call("view", name="x", team_id="team")),
    "views.changes.delete_view": Rule(ADMINISTRATORS, call("view")),
    "exports.csv_file.export_orders": Rule(EVERYBODY, fixed(empty(), rows=ExportRows.ORDER, zone=UTC)),
    "exports.workbook.export_workbook": Rule(EVERYBODY, fixed(empty(), rows=ExportRows.ORDER, zone=UTC)),
    "exports.runs.record_export": Rule(EVERYBODY, fixed(empty(), rows=ExportRows.ORDER, address=None)),
    "exports.runs.begin_run": Rule(EVERYBODY, fixed(None, rows=ExportRows.ORDER, ending="csv")),
    "exports.runs.estimate_run": Rule(EVERYBODY, fixed(RUN, empty())),
    "exports.runs.touch_run": Rule(EVERYBODY, fixed(RUN, rows_sent=1, bytes_sent=1)),
    "exports.runs.end_run": Rule(EVERYBODY, fixed(RUN, RunState.DONE, rows_sent=1, bytes_sent=1)),
    "exports.runs.request_cancel": Rule(EVERYBODY, fixed(RUN)),
    "exports.runs.find_run": Rule(EVERYBODY, fixed(RUN)),
    "orders.filter_values.filter_values": Rule(EVERYBODY, call()),
    "orders.saved_searches.save_search": Rule(EVERYBODY, fixed(empty())),
    "reports.get_report": Rule(EVERYBODY, fixed(empty())),
    "refunds.requests.find_own_requests": Rule(EVERYBODY, fixed()),
    "accounts.profile.find_own_sessions": Rule(EVERYBODY, fixed(token="x")),
    "customers.page.find_customer": Rule(EVERYBODY, call("order"), True),
    # Orders: what somebody does.
    "refunds.requests.request_refund": Rule(ACTING, call("order", reason="x"), True),
    "order_actions.licences.resend_licence": Rule(ACTING, call("order", code_id="code"), True),
    "order_actions.reissue.reissue_licence": Rule(
        ACTING, call("order", code_id="code", new_code="NEW", reason="x"), True
    ),
    "order_actions.reissue.ask_for_reissue": Rule(ACTING, call("order", code_id="code", reason="x"), True),
    "order_actions.reissue.find_code_sender": Rule(EVERYBODY, call("order"), True),
    "order_actions.cancellation.cancel_unpaid_order": Rule(ACTING, call("unpaid", reason="x"), True),
    "order_actions.customer_email.correct_email": Rule(
        ACTING, call("order", email="x@example.com", expected="ines@example.com"), True
    ),
    "order_actions.notes.add_note": Rule(ACTING, call("order", text="x"), True),
    "order_actions.subscriptions.cancel_subscription": Rule(ACTING, call("order", position=1), True),
    "order_actions.subscriptions.resume_subscription": Rule(ACTING, call("order", position=2), True),
    "bulk.preview.find_selected": Rule(ACTING, fixed(empty())),
    "bulk.preview.preview_orders": Rule(ACTING, fixed([OWN], kind=BulkKind.ADD_NOTE)),
    "bulk.runs.start_run": Rule(ACTING, fixed(Preview(BulkKind.ADD_NOTE, (OWN,), {}, {}), text="x")),
    "bulk.runs.find_runs": Rule(EVERYBODY, fixed()),
    "bulk.runs.find_running": Rule(EVERYBODY, fixed()),
    "bulk.actions.resend_licences": Rule(ACTING, call("order"), True),
    "bulk.actions.cancel_renewals": Rule(ACTING, call("order"), True),
    "bulk.actions.resume_renewals": Rule(ACTING, call("order"), True),
    "connections.stop_waiting.stop_waiting": Rule(ACTING, call("order", action_id=AWAITED, note="x"), True),
    "order_actions.locking.lock_order": Rule(ACTING, call("order"), True),
    # The refund queue.
    "refunds.queue.find_queue": Rule(OPERATORS, fixed(QueueView.OPEN)),
    "refunds.queue.count_queue": Rule(OPERATORS, fixed()),
    "refunds.queue.count_waiting": Rule(OPERATORS, fixed()),
    "refunds.taking.take_next": Rule(OPERATORS, fixed()),
    "refunds.taking.find_last_taken": Rule(OPERATORS, fixed()),
    "refund_report.get_refund_report": Rule(EVERYBODY, fixed(empty(), RefundGrouping.STORE)),
    "refund_report.group_filter": Rule(EVERYBODY, fixed(empty(), RefundGrouping.STORE, "shop-a")),
    "refund_report.export_refund_report": Rule(EVERYBODY, fixed(empty(), RefundGrouping.STORE, address=None)),
    "refunds.digest.find_own_digest": Rule(OPERATORS, fixed()),
    "refunds.digest.set_own_digest": Rule(OPERATORS, fixed(None, time_zone="UTC")),
    "refunds.mail_texts.find_texts": Rule(ADMINISTRATORS, call("store")),
    "refunds.mail_texts.preview_text": Rule(
        ADMINISTRATORS, call("store", kind=RefundText.FULL, language="en", **TEXT)
    ),
    "refunds.mail_texts.change_text": Rule(
        ADMINISTRATORS, call("store", kind=RefundText.FULL, language="en", **TEXT)
    ),
    "refunds.mail_texts.reset_text": Rule(ADMINISTRATORS, call("store", kind=RefundText.FULL, language="en")),
    "refunds.processing.take_request": Rule(OPERATORS, call("request"), True),
    "refunds.processing.release_request": Rule(OPERATORS, call("taken"), True),
    "refunds.processing.fulfil_request": Rule(OPERATORS, call("taken", **FULFIL), True),
    "refunds.processing.refuse_request": Rule(OPERATORS, call("taken", **NOTE), True),
    "refunds.processing.fail_request": Rule(OPERATORS, call("taken", **NOTE), True),
    "refunds.approval.approve_request": Rule(OPERATORS, call("request", decided_at=DECIDED_AT), True),
    "refunds.approval.send_back_request": Rule(
        OPERATORS, call("request", decided_at=DECIDED_AT, **NOTE), True
    ),
    "refunds.approval.withdraw_decision": Rule(OPERATORS, call("request"), True),
    "refunds.reasons.create_reason": Rule(ADMINISTRATORS, fixed(reason="new")),
    "refunds.reasons.change_reason": Rule(ADMINISTRATORS, fixed(1, reason="x", position=1, in_use=True)),
    # Administration.
    "accounts.sign_in_methods.require_for": Rule(ADMINISTRATORS, fixed(roles=frozenset())),
    "accounts.sign_in_methods.reset_second_factor": Rule(ADMINISTRATORS, call("second")),
    "accounts.sign_in_methods.unbind_single_sign_on": Rule(ADMINISTRATORS, call("second")),
    "delivery.log.find_mails": Rule(ADMINISTRATORS, fixed()),
    "delivery.log.get_mail": Rule(ADMINISTRATORS, call("mail", address=None)),
    "delivery.log.send_again": Rule(ADMINISTRATORS, call("mail")),
    "delivery.event_log.find_deliveries": Rule(ADMINISTRATORS, call("connection")),
    "delivery.event_log.replay_deliveries": Rule(ADMINISTRATORS, call("connection", delivery_ids=(1,))),
    "accounts.listing.find_accounts": Rule(ADMINISTRATORS, fixed()),
    "accounts.listing.get_account": Rule(ADMINISTRATORS, call("account")),
    "accounts.administration.create_account": Rule(
        ADMINISTRATORS, fixed(email="new@x.example", name="x", grants=GRANTS)
    ),
    "accounts.administration.change_account": Rule(ADMINISTRATORS, call("account", name="x", grants=GRANTS)),
    "accounts.administration.reset_password": Rule(ADMINISTRATORS, call("account")),
    "accounts.administration.disable_account": Rule(ADMINISTRATORS, call("account")),
    "accounts.administration.enable_account": Rule(ADMINISTRATORS, call("off")),
    "accounts.administration.unlock_account": Rule(ADMINISTRATORS, call("locked")),
    "accounts.administration.end_sessions": Rule(ADMINISTRATORS, call("account")),
    "accounts.csv_import.preview_accounts": Rule(
        ADMINISTRATORS, fixed(b"email,name,role\na@x.example,A,analyst\n")
    ),
    "accounts.csv_import.import_accounts": Rule(
        ADMINISTRATORS, fixed(b"email,name,role\na@x.example,A,analyst\n")
    ),
    "accounts.teams.find_teams": Rule(ADMINISTRATORS, fixed()),
    "accounts.teams.find_people": Rule(ADMINISTRATORS, fixed()),
    "accounts.teams.create_team": Rule(ADMINISTRATORS, fixed(**TEAM | {"name": "new"})),
    "accounts.teams.change_team": Rule(ADMINISTRATORS, call("team", **TEAM)),
    "accounts.teams.delete_team": Rule(ADMINISTRATORS, call("team")),
    "accounts.stores.find_stores": Rule(ADMINISTRATORS, fixed()),
    "accounts.stores.find_payment_methods": Rule(ADMINISTRATORS, fixed()),
    "accounts.stores.change_store": Rule(ADMINISTRATORS, call("store", **STORE)),
    "connections.listing.find_connections": Rule(ADMINISTRATORS, fixed()),
    "connections.listing.get_connection": Rule(ADMINISTRATORS, call("connection")),
    "connections.listing.count_direct_messages": Rule(ADMINISTRATORS, fixed()),
    "connections.listing.count_in_trouble": Rule(ADMINISTRATORS, fixed()),
    "connections.administration.create_connection": Rule(
        ADMINISTRATORS,
        call(store_id="store", kind=ConnectionKind.WEBHOOKS, key=new_key(), form=FORM, secrets={}),
    ),
    "connections.administration.change_connection": Rule(ADMINISTRATORS, call("connection", form=FORM)),
    "connections.administration.change_secret": Rule(
        ADMINISTRATORS, call("connection", purpose=Purpose.IN, secret="x")
    ),
    "connections.switching.switch_off": Rule(ADMINISTRATORS, call("connection", gives_up=False)),
    "connections.switching.switch_on": Rule(ADMINISTRATORS, call("off_connection")),
    "connections.switching.delete_connection": Rule(ADMINISTRATORS, call("off_connection")),
    "connections.trial.sign_example": Rule(ADMINISTRATORS, call("connection", address=None)),
    "connections.inbox_log.find_messages": Rule(ADMINISTRATORS, call("connection")),
    "connections.inbox_log.get_message": Rule(ADMINISTRATORS, call("message", address=None)),
    "connections.inbox_log.replay_message": Rule(ADMINISTRATORS, call("message")),
    "connections.inbox_log.replay_messages": Rule(ADMINISTRATORS, call("connection", **PERIOD)),
    "audit.log.find_audit": Rule(ADMINISTRATORS, fixed(AuditFilter(UTC, since=date(2026, 1, 1)))),
    "audit.log.find_actions": Rule(ADMINISTRATORS, fixed()),
    "audit.log.record_audit_export": Rule(ADMINISTRATORS, fixed(AuditFilter(UTC), address=None)),
    "audit.log.export_audit": Rule(ADMINISTRATORS, fixed(AuditFilter(UTC))),
    "customers.access_request.record_person_export": Rule(
        ADMINISTRATORS, call("order", ending="json", address=None)
    ),
    "customers.access_request.collect_held_data": Rule(ADMINISTRATORS, call("order")),
    "customers.access_files.export_person": Rule(ADMINISTRATORS, call("order", ending="json", zone=UTC)),
    "privacy.erasure.preview_erasure": Rule(ADMINISTRATORS, fixed(email="ines@example.com")),
    "privacy.erasure.erase_personal_data": Rule(
        ADMINISTRATORS,
        fixed(email="ines@example.com", expected=dict.fromkeys((OWN, FOREIGN), Part.CUSTOMER)),
    ),
}
