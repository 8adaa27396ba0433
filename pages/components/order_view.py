"""An order in full, as one piece of HTML: fifty elements of Streamlit's own would take five times as long.

Every value goes through the template's escaping; the template alone holds markup.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st
from markupsafe import Markup

from pages.components.chips import chip
from pages.components.templates import render
from pages.components.words import day_words, number_words, time_words
from services.money import format_money
from services.order_shapes import HistoryEvent, OrderDetail, Subscription
from services.statuses import status_labels

KIND_WORDS: Final = {
    "email": "E-mail",
    "error": "Error",
    "status": "Status",
    "subscription": "Subscription",
    "relation": "Related",
    "anonymization": "Personal data",
    "document": "Document",
    "note": "Internal note",
}
RELATION_WORDS: Final = {"typo": "Bought together", "parent": "Parent order", "child": "Child order"}
ACTIVATED: Final = "Auto-renewal has been activated"
DEACTIVATED: Final = "Auto-renewal has been deactivated"


def draw_order(
    order: OrderDetail,
    *,
    zone: ZoneInfo,
    customer_page_url: str,
    key: str,
    order_link: Callable[[int], str],
) -> None:
    """Draws the first line and all blocks. `order_link` gives the address that opens another order."""
    html = order_html(order, zone=zone, customer_page_url=customer_page_url, order_link=order_link)
    with st.container(key=key):
        st.html(html)


def order_html(
    order: OrderDetail, *, zone: ZoneInfo, customer_page_url: str, order_link: Callable[[int], str]
) -> str:
    """The same as a text."""
    return render(
        "order.html.jinja",
        order=order,
        customer_page_url=customer_page_url,
        order_link=order_link,
        chips=[
            Markup(chip(label))  # noqa: S704 - built of our own words, escaped there
            for label in status_labels(order.status, order.delivered, order.refund_status)
        ],
        days=list(_by_day(order, zone)),
        money=lambda amount: format_money(amount, order.currency),
        number=number_words,
        time=lambda at: time_words(at, zone),
        clock=lambda at: f"{at.astimezone(zone):%H:%M}",
        renewal=_renewal,
        kinds=KIND_WORDS,
        relations=RELATION_WORDS,
    )


def _by_day(order: OrderDetail, zone: ZoneInfo) -> Iterator[tuple[str, list[HistoryEvent]]]:
    def day(event: HistoryEvent) -> object:
        at: datetime = event.at
        return at.astimezone(zone).date()

    for _, events in groupby(order.history, key=day):
        found = list(events)
        yield day_words(found[0].at.astimezone(zone)), found


def _renewal(subscription: Subscription) -> str:
    return ACTIVATED if subscription.activated else DEACTIVATED
