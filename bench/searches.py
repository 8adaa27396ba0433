"""The searches that are timed, and for each the SQL that a person would write by hand for the same rows.

The hand-written SQL runs as the owner, past row-level security, with the store in its condition as the page has it.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from services.order_filter import SearchInput
from services.statuses import MainStatus

COLUMNS = (
    "o.order_id, o.order_name, o.created_at, o.paid_at, o.currency, o.total, o.status, o.delivered, o.refund_status, "
    "o.active_subscription, o.cancelled_subscription, o.first_name, o.last_name, o.email, o.company_name, "
    "o.customer_erased, o.checkout_page_id"
)


@dataclass(frozen=True)
class Search:
    """What is typed, and the condition that finds the same orders, with its values."""

    typed: SearchInput
    condition: str
    values: dict[str, Any]

    @property
    def rows(self) -> Any:
        """The page's fifty rows."""
        return text(
            f"SELECT {COLUMNS} FROM orders o WHERE o.checkout_page_id = ANY(:pages) AND {self.condition} "
            "ORDER BY o.created_at DESC, o.order_id DESC LIMIT 51"
        )

    @property
    def count(self) -> Any:
        """Their number, up to 10,001."""
        return text(
            f"SELECT count(*) FROM (SELECT FROM orders o WHERE o.checkout_page_id = ANY(:pages) AND {self.condition} "
            "LIMIT 10001) found"
        )


def searches(orders: int) -> dict[str, Search]:
    """Each kind of search, about orders in the middle of the benchmark's data."""
    middle = orders // 2
    ids = [middle + 37 * number for number in range(20)]
    by_code = "o.order_id IN (SELECT c.order_id FROM activation_code c WHERE c.code_key LIKE :code)"
    return {
        "one day": Search(
            SearchInput(created_from=date(2025, 11, 20)),
            "o.created_at >= '2025-11-20Z' AND o.created_at < '2025-11-21Z'",
            {},
        ),
        "a month and Paid": Search(
            SearchInput(
                created_from=date(2025, 11, 1),
                created_to=date(2025, 11, 30),
                statuses=frozenset({MainStatus.PAID}),
            ),
            "o.created_at >= '2025-11-01Z' AND o.created_at < '2025-12-01Z' AND o.status = 'paid'",
            {},
        ),
        "20 IDs": Search(
            SearchInput(order_ids=" ".join(map(str, ids))), "o.order_id = ANY(:ids)", {"ids": ids}
        ),
        "e-mail": Search(
            SearchInput(email="CUSTOMER4711@example.com"), "o.email_key = 'customer4711@example.com'", {}
        ),
        "phone": Search(SearchInput(phone="+49 (30) 0004711"), "o.phone_key = '49300004711'", {}),
        "last name and a quarter": Search(
            SearchInput(last_name="family4711", created_from=date(2025, 11, 1), created_to=date(2026, 1, 31)),
            "o.last_name_key = 'family4711' AND o.created_at >= '2025-11-01Z' AND o.created_at < '2026-02-01Z'",
            {},
        ),
        "last four digits and a month": Search(
            SearchInput(card_last_4="4711", created_from=date(2025, 11, 1), created_to=date(2025, 11, 30)),
            "o.card_last_4 = '4711' AND o.created_at >= '2025-11-01Z' AND o.created_at < '2025-12-01Z'",
            {},
        ),
        "8 characters of a code": Search(
            SearchInput(activation_code="b12-c3d4"), by_code, {"code": "%b12-c3d4%"}
        ),
        "3 characters of a code": Search(SearchInput(activation_code="ab1"), by_code, {"code": "%ab1%"}),
    }
