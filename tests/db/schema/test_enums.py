"""The words of the tables: each column's constraint allows exactly its enum, and no such column lacks one."""

import re
from enum import StrEnum
from typing import Final

import pytest

from db.schema.bulk_states import BulkKind, BulkOrderState, BulkState
from db.schema.connection_states import AwaitedKind, AwaitedState, DeliveryState, InboxState, Purpose, Topic
from db.schema.statuses import (
    DocumentKind,
    HistoryKind,
    MailKind,
    MailState,
    MainStatus,
    RefundResult,
    RefundStatus,
    Relation,
    Source,
    SubscriptionAction,
    SubscriptionStatus,
)
from tests.support.factories import run

COLUMNS: Final[dict[tuple[str, str], type[StrEnum]]] = {
    ("awaited_action", "kind"): AwaitedKind,
    ("awaited_action", "state"): AwaitedState,
    ("bulk_run", "kind"): BulkKind,
    ("bulk_run", "state"): BulkState,
    ("bulk_run_order", "state"): BulkOrderState,
    ("connection", "topics"): Topic,
    ("connection_secret", "purpose"): Purpose,
    ("delivery", "state"): DeliveryState,
    ("inbox", "state"): InboxState,
    ("mail", "kind"): MailKind,
    ("mail", "state"): MailState,
    ("order_document", "kind"): DocumentKind,
    ("order_document", "source"): Source,
    ("order_history", "kind"): HistoryKind,
    ("order_history", "source"): Source,
    ("orders", "refund_status"): RefundStatus,
    ("orders", "status"): MainStatus,
    ("refund_request", "result"): RefundResult,
    ("refund_request", "status"): RefundStatus,
    ("order_relation", "relation"): Relation,
    ("subscription", "said_status"): SubscriptionStatus,
    ("subscription", "status"): SubscriptionStatus,
    ("subscription_event", "action"): SubscriptionAction,
    ("subscription_event", "from_status"): SubscriptionStatus,
    ("subscription_event", "to_status"): SubscriptionStatus,
}
# A connection's kind may be the name of any payment provider; its constraint is a pattern.
OPEN: Final = {("connection", "kind")}
LISTED_WORDS: Final = """
    SELECT c.relname, a.attname, pg_get_constraintdef(k.oid) FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_attribute a ON a.attrelid = c.oid AND k.conkey = ARRAY[a.attnum]
    WHERE k.contype = 'c' AND c.relnamespace = 'public'::regnamespace
"""


def words_of_constraints() -> dict[tuple[str, str], set[str]]:
    """The words between quotation marks of every constraint over one column that lists words."""
    return {
        (table, column): set(re.findall(r"'([^']*)'", definition))
        for table, column, definition in run(LISTED_WORDS)
        if re.search(r"= ANY|= '|<@ ARRAY", definition)
    }


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_constraint_allows_exactly_the_enum(database: str, table: str, column: str) -> None:
    assert words_of_constraints()[table, column] == set(COLUMNS[table, column])


def test_no_column_of_words_lacks_a_constraint(database: str) -> None:
    names = r"(^|_)(status|state|kind|result|relation|source|action)$"
    columns = run(
        "SELECT a.attrelid::regclass::text, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace"
        " AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'text'::regtype AND a.attname ~ :names",
        names=names,
    )
    lacking = {(table, column) for table, column in columns} - set(words_of_constraints())
    assert lacking == OPEN


@pytest.mark.parametrize("enum", [MainStatus, RefundStatus, RefundResult, MailState])
def test_every_word_that_people_read_has_a_label_of_its_own(
    enum: type[MainStatus | RefundStatus | RefundResult | MailState],
) -> None:
    labels = [member.label for member in enum]
    assert len(set(labels)) == len(labels) and all(labels)


def test_the_same_word_of_two_enums_has_two_labels() -> None:
    """A refused request and its result are stored as one word, and read differently."""
    assert RefundStatus.REFUSED.label == "Refusal to refund"
    assert RefundResult.REFUSED.label == "Refused"
    assert (MailState.FAILED.label, RefundResult.FAILED.label) == ("Failed", "The refund failed")
