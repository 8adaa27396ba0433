"""The contents of an answer to an access request: all that db/schema/personal.py calls personal, or why it is left out.

The columns are taken from that list, so a new one of a table below comes along by itself, and a table that is missing
here fails tests/services/customers/test_access_request.py.
"""

from collections.abc import Mapping
from typing import Final

from db.schema.personal import PERSONAL, Fate, Personal, Whose

# By table: the columns that say what a row is about, beside its personal ones. Rows belong to an order.
OF_ORDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "orders": ("order_id", "created_at", "paid_at", "status", "currency", "total"),
    "order_item": ("order_id", "position", "quantity", "amount", "refunded"),
    "activation_code": ("order_id", "position", "number", "deleted"),
    "order_document": ("order_id", "kind", "created_at"),
    "order_history": ("order_id", "at", "kind"),
    "refund_request": ("order_id", "requested_at", "status", "result"),
    "subscription": ("order_id", "position", "subscription_id", "type", "status"),
    "subscription_event": ("order_id", "at", "subscription_id", "action"),
    "mail": ("order_id", "kind", "created_at", "sent_at", "state"),
}
# Tables whose texts `services.privacy.known_values.texts_of` gives, row by row.
AS_TEXTS: Final = frozenset({"action_key", "audit_log", "awaited_action", "connection", "delivery"})
# Read by functions of their own.
OTHERWISE: Final = frozenset(
    (table, column)
    for table, columns in {
        "inbox": ("body", "field", "reason"),
        "saved_search": ("filters",),
        "order_view": ("name", "filters"),
    }.items()
    for column in columns
)
_COMPUTED: Final = "Computed from another column that is here."
LEFT_OUT: Final[Mapping[tuple[str, str], str]] = {
    ("orders", "payment_method_key"): _COMPUTED,
    ("orders", "country_key"): _COMPUTED,
    ("order_item", "name_key"): _COMPUTED,
    ("refund_request", "reason_key"): _COMPUTED,
    ("orders", "page_key"): "Random, and a key to the order's page.",
    ("orders", "source_digest"): "It cannot be read.",
    ("activation_code", "code_key"): _COMPUTED,
    ("order_document", "content"): "The files are in the orders; their names are here.",
    ("bulk_run", "entered_text"): "Emptied within seconds; the orders' histories hold it.",
    ("mail", "html_body"): "The same text as the plain part.",
    ("known_value", "digest"): "It cannot be read.",
    ("saved_search", "filters_digest"): "It cannot be read.",
}


def held_columns(table: str) -> tuple[str, ...]:
    """The columns of the table that an answer has: of customers, of licence users, and texts that may name anybody."""
    return tuple(
        name for name, entry in PERSONAL[table].items() if _is_held(entry) and (table, name) not in LEFT_OUT
    )


def user_columns() -> tuple[str, ...]:
    """The columns of an item that are about the user of its licence."""
    return tuple(name for name, entry in PERSONAL["order_item"].items() if entry.whose is Whose.LICENCE_USER)


def missing_columns() -> set[tuple[str, str]]:
    """The personal columns, as (table, column), that no part of an answer covers and no reason leaves out."""
    return {
        (table, name)
        for table in PERSONAL
        if table not in OF_ORDERS
        for name in held_columns(table)
        if (table, name) not in OTHERWISE
        # Of these, only what a deletion cuts mentions out of is among the texts.
        and not (table in AS_TEXTS and PERSONAL[table][name].fate is Fate.CUT)
    }


def _is_held(entry: Personal) -> bool:
    return entry.whose is not Whose.ACCOUNT and entry.fate is not Fate.FOLLOWS
