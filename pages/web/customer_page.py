"""The customer's page of an order: plain HTML that runs nothing and loads nothing."""

from zoneinfo import ZoneInfo

from db.schema.statuses import status_labels
from pages.rendering.formatting import format_time
from pages.rendering.templates import render
from services.money import format_money
from services.orders.customer_page import CustomerOrder
from services.time_zones import find_time_zone


def customer_html(order: CustomerOrder, page_key: str) -> str:
    """The page of an order; `page_key` is the key of its address, for the links on it."""
    # Nobody is signed in: the zone is the store's, and the page names it.
    zone = find_time_zone(order.time_zone) or ZoneInfo("UTC")
    return render(
        "customer_page.html.jinja",
        zone=zone.key,
        title=f"Order {order.order_name}",
        message=None,
        order=order,
        page_key=page_key,
        statuses=status_labels(order.status, order.delivered, order.refund_status),
        money=lambda amount: format_money(amount, order.currency),
        time=lambda at: format_time(at, zone),
    )


def missing_html(sentence: str) -> str:
    """The page for an address without an order to show."""
    return render("customer_page.html.jinja", title="Order", message=sentence, order=None)
