"""The searches to time, each with the SQL that a person would write by hand for the same rows.

The hand-written SQL runs as the owner, past row-level security, with the stores in its condition. The values to search
for are taken from orders of the data, so that each search finds some.
"""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row, TextClause, text

from bench.orders import SEEN
from db.schema.statuses import MainStatus
from services.orders.filters import SearchInput

COLUMNS = (
    "o.order_id, o.order_name, o.created_at, o.paid_at, o.currency, o.total, o.status, o.delivered, o.refund_status, "
    "o.active_subscription, o.cancelled_subscription, o.first_name, o.last_name, o.email, o.company_name, "
    "o.customer_erased, o.checkout_page_id"
)
_SUBJECTS = 7
_DAYS = "o.created_at >= :since AND o.created_at < :until"
_BY_PRODUCT = (
    "EXISTS (SELECT FROM order_item i WHERE i.order_id = o.order_id AND "
    ":product IN (i.name_key, i.product_key, i.sku_key))"
)
_BY_CODE = "o.order_id IN (SELECT c.order_id FROM activation_code c WHERE c.code_key LIKE :code)"


@dataclass(frozen=True)
class Search:
    """The fields of the form, and the condition that finds the same orders, with its values."""

    typed: SearchInput
    condition: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> TextClause:
        """The statement for the fifty rows of a page, and one more that tells whether there are others."""
        return text(
            f"SELECT {COLUMNS} FROM orders o WHERE o.checkout_page_id = ANY(:stores) AND {self.condition} "
            "ORDER BY o.created_at DESC, o.order_id DESC LIMIT 51"
        )

    @property
    def count(self) -> TextClause:
        """The statement for the number of orders, up to 10,001."""
        return text(
            f"SELECT count(*) FROM (SELECT FROM orders o WHERE o.checkout_page_id = ANY(:stores) AND {self.condition} "
            "LIMIT 10001) found"
        )


def subjects(connection: Connection) -> list[Row[Any]]:
    """Paid orders with a value in every searchable field, spread over the data, each with one of its codes.

    `connection` is the owner's.
    """
    total = connection.execute(text("SELECT max(order_id) FROM orders")).scalar_one()
    statement = text(
        "SELECT o.*, c.code, i.name AS product, i.name_key AS product_key FROM orders o "
        "JOIN activation_code c USING (order_id) JOIN order_item i ON i.order_id = o.order_id AND i.position = 1 "
        "JOIN checkout_page p ON p.id = o.checkout_page_id "
        "WHERE o.order_id >= :from AND o.status = 'paid' AND o.phone IS NOT NULL "
        "AND o.card_last_4 IS NOT NULL AND o.last_name IS NOT NULL AND p.name = ANY(:seen) "
        "ORDER BY o.order_id, c.id LIMIT 1"
    )
    starts = [total * number // (_SUBJECTS + 1) for number in range(1, _SUBJECTS + 1)]
    return [connection.execute(statement, {"from": start, "seen": list(SEEN)}).one() for start in starts]


def searches(connection: Connection) -> dict[str, list[Search]]:
    """By kind of search, one search for each of several orders of the data. `connection` is the owner's."""
    by_kind: dict[str, list[Search]] = {}
    for subject in subjects(connection):
        for kind, search in _searches_for(subject).items():
            by_kind.setdefault(kind, []).append(search)
    return by_kind


def _searches_for(order: Row[Any]) -> dict[str, Search]:
    day = order.created_at.date()
    month = day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
    quarter = _months_before(month[0], 2), month[1]
    ids = [order.order_id + 37 * number for number in range(20)]
    in_month, in_quarter = ({"created_from": span[0], "created_to": span[1]} for span in (month, quarter))
    paid = SearchInput(**in_month, statuses=frozenset({MainStatus.PAID}))
    middle, three = order.code[8:16].lower(), order.code[6:9].lower()
    return {
        "one day": Search(SearchInput(created_from=day), _DAYS, _days(day, day)),
        "a month and Paid": Search(paid, f"{_DAYS} AND o.status = 'paid'", _days(*month)),
        "20 IDs": Search(
            SearchInput(order_ids=" ".join(map(str, ids))), "o.order_id = ANY(:ids)", {"ids": ids}
        ),
        "e-mail": Search(
            SearchInput(email=order.email.upper()), "o.email_key = :email", {"email": order.email_key}
        ),
        "phone": Search(SearchInput(phone=order.phone), "o.phone_key = :phone", {"phone": order.phone_key}),
        "last name and a quarter": Search(
            SearchInput(last_name=order.last_name.upper(), **in_quarter),
            f"o.last_name_key = :name AND {_DAYS}",
            {"name": order.last_name_key} | _days(*quarter),
        ),
        "last four digits and a month": Search(
            SearchInput(card_last_4=order.card_last_4, **in_month),
            f"o.card_last_4 = :card AND {_DAYS}",
            {"card": order.card_last_4} | _days(*month),
        ),
        "8 characters of a code": Search(
            SearchInput(activation_code=middle), _BY_CODE, {"code": f"%{middle}%"}
        ),
        "3 characters of a code": Search(
            SearchInput(activation_code=three), _BY_CODE, {"code": f"%{three}%"}
        ),
    } | _purchases(order, in_month, _days(*month))


# Any: fields of the form and parameters of statements, by their names.
def _purchases(order: Row[Any], in_month: dict[str, Any], days: dict[str, Any]) -> dict[str, Search]:
    total = SearchInput(
        total_from=str(order.total), total_to=str(order.total), currency=order.currency, **in_month
    )
    return {
        "payment method and a month": Search(
            SearchInput(payment_method=order.payment_method.upper(), **in_month),
            f"o.payment_method_key = :method AND {_DAYS}",
            {"method": order.payment_method_key} | days,
        ),
        "total and a month": Search(
            total,
            f"o.currency = :currency AND o.total = :total AND {_DAYS}",
            {"currency": order.currency, "total": order.total} | days,
        ),
        "country": Search(
            SearchInput(country=order.country), "o.country_key = :country", {"country": order.country_key}
        ),
        "product": Search(
            SearchInput(product=order.product.upper()), _BY_PRODUCT, {"product": order.product_key}
        ),
    }


def _days(first: date, last: date) -> dict[str, Any]:
    since, end = (datetime.combine(day, time(), UTC) for day in (first, last))
    return {"since": since, "until": end + timedelta(days=1)}


def _months_before(day: date, number: int) -> date:
    months = day.year * 12 + day.month - 1 - number
    return date(months // 12, months % 12 + 1, 1)
