"""Every column of every table: whose data it holds, if it is personal, and what the deletion of a person does with it.

The deletion (`services.privacy.erasure`), the import of later documents (db/statements/importing/import_erased.sql) and
the tests of both are made from this list. A column that is in neither `PERSONAL` nor `IMPERSONAL` fails
tests/db/schema/test_personal.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Whose(StrEnum):
    """The person whose data a column holds. `ANYBODY`: text that may mention any customer."""

    CUSTOMER = "customer"
    LICENCE_USER = "licence user"
    ANYBODY = "anybody"
    ACCOUNT = "account"


class Fate(StrEnum):
    """The effect of a deletion on a column."""

    EMPTY = "emptied"
    FOLLOWS = "computed from a column that is emptied"
    CUT = "mentions of the person are cut out"
    REMOVE = "the row is removed"
    KEEP = "kept"


@dataclass(frozen=True, slots=True)
class Personal:
    """A personal column.

    `kind` is the kind of value by which the column identifies the person (`services.privacy.mentions.Kind`), if it
    does; `emptied` is the SQL of its value after a deletion; `why` is the reason for keeping it.
    """

    whose: Whose
    fate: Fate
    kind: str | None = None
    emptied: str = "NULL"
    why: str = ""


def _customer(kind: str | None = None, emptied: str = "NULL") -> Personal:
    return Personal(Whose.CUSTOMER, Fate.EMPTY, kind, emptied)


def _user(kind: str | None = None, emptied: str = "NULL") -> Personal:
    return Personal(Whose.LICENCE_USER, Fate.EMPTY, kind, emptied)


_CUT: Final = Personal(Whose.ANYBODY, Fate.CUT)
_REMOVED: Final = Personal(Whose.CUSTOMER, Fate.REMOVE)
_KEY: Final = Personal(Whose.CUSTOMER, Fate.FOLLOWS)
_ACCOUNT: Final = Personal(Whose.ACCOUNT, Fate.KEEP, why="It belongs to an account, not to a customer.")


def _kept(why: str) -> Personal:
    return Personal(Whose.CUSTOMER, Fate.KEEP, why=why)


PERSONAL: Final[Mapping[str, Mapping[str, Personal]]] = {
    "orders": {
        "email": _customer("email"),
        "first_name": _customer("name"),
        "last_name": _customer("name"),
        "phone": _customer("phone"),
        "vat_number": _customer("vat"),
        "company_name": _customer("company"),
        "company_billing_address": _customer("address"),
        "company_delivery_address": _customer("address"),
        "card_last_4": _customer("card"),
        "card_expiration_date": _customer("card date"),
        "additional_parameters": _customer(emptied="'[]'"),
        # The shop's own page of the order shows the person.
        "detail_url": _customer(),
        **dict.fromkeys(
            ("email_key", "first_name_key", "last_name_key", "company_key", "vat_key", "phone_key"), _KEY
        ),
        "order_name": _kept("The number under which the shop keeps its books."),
        "page_key": _kept("Random; the page behind it shows nothing once the customer was deleted."),
        "country": _kept("Reports count by it, and it names nobody."),
        "locale": _kept("A language names nobody."),
        "customer_type": _kept("Person or company names nobody."),
        "payment_method": _kept("Reports count by it, and it names nobody."),
        "payment_method_key": _kept("Computed from the payment method."),
        "country_key": _kept("Computed from the country."),
        "payment_system_name": _kept("It names nobody."),
        "card_type": _kept("It names nobody."),
        "payment_reference": _kept("The provider's number of the payment: a refund is made by it."),
        "source_digest": _kept("It tells whether a document is the same again, and cannot be read."),
    },
    "order_item": {
        "license_first_name": _user("name"),
        "license_last_name": _user("name"),
        "license_email": _user("email"),
        "additional_data": _user(emptied="'[]'"),
        # The product is the shop's; one that was made for the person may hold their whole name or e-mail.
        "name": _CUT,
        "name_key": _kept("Computed from the name, out of which mentions are cut."),
    },
    "activation_code": {
        "code": _kept("The licence that was sold. It stays findable, so that it is not sent or sold again."),
        "code_key": _kept("Computed from the code."),
    },
    "order_document": {
        "name": _REMOVED,
        "content": _REMOVED,
    },
    "order_history": {
        "text": _CUT,
        "author": _ACCOUNT,
    },
    "refund_request": {
        "reason": _CUT,
        "reason_key": _kept("Computed from the reason, out of which mentions are cut."),
        "note": _CUT,
        "requester_name": _ACCOUNT,
        "requester_email": _ACCOUNT,
        "taken_by_name": _ACCOUNT,
        "closed_by_name": _ACCOUNT,
        "decided_by_name": _ACCOUNT,
        "approved_by_name": _ACCOUNT,
        "sent_back_by_name": _ACCOUNT,
    },
    "subscription": {"change_reason": _CUT, "changed_by": _ACCOUNT},
    "subscription_event": {"reason": _CUT, "changed_by": _ACCOUNT},
    "action_key": {"answer": _CUT},
    "mail": {
        # Of messages to the person; in other messages the mentions are cut.
        "to_address": _customer(),
        "to_name": _customer(),
        "html_body": _customer(),
        "text_body": _customer(emptied="'deleted'"),
        "subject": _CUT,
        "last_error": _CUT,
    },
    "saved_search": {
        "filters": Personal(Whose.ANYBODY, Fate.REMOVE),
        "filters_digest": Personal(Whose.ANYBODY, Fate.REMOVE),
    },
    "order_view": {
        "name": Personal(Whose.ANYBODY, Fate.REMOVE),
        "filters": Personal(Whose.ANYBODY, Fate.REMOVE),
    },
    "audit_log": {"details": _CUT, "account_email": _ACCOUNT, "address": _ACCOUNT},
    "known_value": {"digest": _kept("Keyed: it recognises a value that comes again, and cannot be read.")},
    "account": dict.fromkeys(
        ("email", "email_key", "name", "password_hash", "time_zone", "totp_secret"), _ACCOUNT
    ),
    "account_session": {"address": _ACCOUNT, "browser": _ACCOUNT},
    "inbox": {
        "body": _customer(),
        "field": _CUT,
        "reason": _CUT,
    },
    "bulk_run": {
        "entered_text": _kept("Emptied when the run ends, within seconds; the orders' histories hold it."),
        "address": _ACCOUNT,
    },
    "connection": {"trouble": _CUT},
    "delivery": {"last_error": _CUT},
    "awaited_action": {"wish": _CUT, "message": _CUT, "account_name": _ACCOUNT, "account_email": _ACCOUNT},
    "refund_digest": {"time_zone": _ACCOUNT},
    "sign_in_attempt": {"network": _ACCOUNT, "device_digest": _ACCOUNT},
    "known_device": {"device_digest": _ACCOUNT},
    "single_sign_on_identity": {"issuer": _ACCOUNT, "subject": _ACCOUNT},
}

# Numbers, times, states, keys of rows, and words that the program chooses.
IMPERSONAL: Final[Mapping[str, str]] = {
    "account": "id role all_stores must_change_password failed_sign_ins locked_until disabled_at created_at "
    "one_time_until totp_last_step has_second_factor credentials_version",
    "account_page": "account_id checkout_page_id",
    "account_session": "token_digest account_id created_at last_seen_at expires_at ended_at ended_because id "
    "single_sign_on provider_factor",
    "action_key": "key account_id action order_id at",
    "activation_code": "id order_id position number checkout_page_id deleted issued_at replaced_at",
    "audit_log": "id at account_id action order_id succeeded",
    "bulk_run": "id key account_id kind order_count state stop_requested ended_because started_at finished_at",
    # `reason` is a sentence of the program, without values of the customer: services/bulk/.
    "bulk_run_order": "run_id number order_id state reason attempts settled_at",
    "checkout_page": "id name title delivery_allowed refund_again_after_partial created_at time_zone "
    "refund_document_methods refund_mail refund_limit_hours refund_four_eyes refund_approval_limits",
    "awaited_action": "id connection_id order_id checkout_page_id kind subject state account_id recorded_at begun_at "
    "sent_at answered_at external_id amount",
    "connection": "id checkout_page_id kind name key out_url topics confirms options rate_per_minute created_at "
    "created_by last_received_at last_delivered_at trouble_since switched_off_at switched_off_because "
    "paused_until reported_at has_out_url",
    "connection_secret": "id connection_id purpose secret created_at valid_until is_test",
    "delivery": "id event_id connection_id order_id seq state attempts next_attempt_at last_status settled_at",
    "export_run": "id account_id row_kind format state started_at touched_at finished_at rows_estimated is_exact "
    "rows_sent bytes_sent cancel_requested refusal",
    "import_claim": "key",
    "inbox": "id connection_id event_id type order_id occurred_at received_at state attempts "
    "next_attempt_at settled_at",
    "known_device": "account_id first_used_at last_used_at failed_sign_ins locked_until",
    "known_value": "order_id position kind words erased",
    "mail": "id message_id kind order_id checkout_page_id account_id state attempts next_attempt_at created_at "
    "sent_at queued_at position number refused_since lacks_line",
    "mail_handover": "mail_id at",
    # Texts for all customers of a store, by administrators; what is personal is put in when a mail is written.
    "mail_text": "checkout_page_id kind language subject body changed_at",
    # `trouble` is the mail server's answer about the sender, with the recipients' addresses masked.
    "mail_server": "id address takes_utf8 seen_at trouble trouble_since",
    "order_document": "id order_id checkout_page_id kind media_type source created_at",
    "order_history": "id order_id checkout_page_id at kind source account_id document_id",
    "order_item": "order_id position checkout_page_id item_id product_id sku price quantity discount_percent "
    "discount_amount vat_amount amount delivery delivered refunded license_erased said_at said_alone "
    "product_key sku_key",
    "opened_orders": "account_id order_ids",
    # `export` names columns and a format.
    "order_view": "id account_id team_id export created_at",
    "order_view_place": "account_id view_id place",
    "order_relation": "order_id related_order_id relation checkout_page_id",
    "orders": "order_id checkout_page_id order_id_1c payment_provider status created_at "
    "paid_at currency total total_key customer_erased "
    "delivered active_subscription cancelled_subscription refund_status source_updated_at imported_at "
    "email_corrected_at cancelled_at",
    # `data` is made of numbers, amounts and states: services/events/outbox.py.
    "outbox_event": "id seq type action_id order_id checkout_page_id created_at data acknowledged_at",
    "password_reset": "token_digest account_id created_at expires_at used_at credentials_version",
    "payment_method": "name refund_document_required",
    "portal_secret": "name value",
    "recovery_code": "account_id digest",
    "refund_digest": "account_id every hour next_at told_until",
    "refund_request": "id order_id checkout_page_id status result requested_by requested_at taken_by taken_at "
    "closed_by closed_at delete_codes stop_subscriptions document_id amount currency reason_id proposal decision "
    "decided_by decided_at approved_by approved_at",
    "refund_reason": "id reason position in_use",
    "refund_request_item": "refund_request_id order_id position checkout_page_id amount quantity is_whole",
    "refund_reservation": "action_id checkout_page_id reserved_at currency amount",
    "role_rule": "role second_factor_required",
    "saved_search": "key account_id created_at last_opened_at",
    "sign_in_attempt": "id kind account_id credentials_version begun_at state has_factor provider_factor",
    "single_sign_on_identity": "account_id bound_at",
    "single_sign_on_use": "digest used_at",
    "subscription": "order_id position checkout_page_id subscription_id type said_status status parent_order_id period "
    "next_renewal_at changed_at",
    "subscription_event": "id checkout_page_id subscription_id at action from_status to_status order_id account_id",
    "team": "id name created_at",
    "team_member": "team_id account_id",
    "team_page": "team_id checkout_page_id",
}


def emptied(table: str) -> str:
    """The SET clause that empties the columns to empty in a row of the table."""
    columns = PERSONAL[table].items()
    return ", ".join(f"{name} = {entry.emptied}" for name, entry in columns if entry.fate is Fate.EMPTY)


def known_by(table: str, whose: Whose) -> dict[str, str]:
    """By column, the kind of value by which it identifies such a person."""
    return {
        name: entry.kind
        for name, entry in PERSONAL[table].items()
        if entry.kind is not None and entry.whose is whose
    }


def cut_columns() -> set[tuple[str, str]]:
    """The columns, as (table, column), from which mentions of a person are cut."""
    return {
        (table, name)
        for table, columns in PERSONAL.items()
        for name, entry in columns.items()
        if entry.fate is Fate.CUT
    }
