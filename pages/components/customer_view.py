"""The customer's page of an order: plain HTML that runs nothing and loads nothing."""

from zoneinfo import ZoneInfo

from pages.components.templates import render
from pages.components.words import time_words
from services.customer_page import CustomerOrder
from services.money import format_money
from services.statuses import status_labels

# Nobody is signed in, so no zone is known; the page names the one it uses.
_UTC = ZoneInfo("UTC")


def customer_html(order: CustomerOrder, page_key: str) -> str:
    """The page of an order; `page_key` is the one it was asked for by."""
    return render(
        "customer_page.html.jinja",
        title=f"Order {order.order_name}",
        message=None,
        order=order,
        page_key=page_key,
        statuses=status_labels(order.status, order.delivered, order.refund_status),
        money=lambda amount: format_money(amount, order.currency),
        time=lambda at: time_words(at, _UTC),
    )


def missing_html(sentence: str) -> str:
    """The page where there is no order to show."""
    return render("customer_page.html.jinja", title="Order", message=sentence, order=None)
