"""Values of customers in HTML, in Markdown and in labels; and an order drawn with hostile values everywhere."""

import re
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.connections.engine import anonymous_transaction, viewer_transaction
from pages.components.orders.view import order_html
from pages.rendering.escaping import html_text, markdown_text
from pages.web.customer_page import customer_html
from services.orders.customer_page import get_customer_order
from services.orders.detail import get_order
from services.orders.models import OrderDetail
from tests.support import factories
from tests.support.factories import document, item, run

HOSTILE = (
    "\"'><img src=x onerror=alert(1)><style>*{}</style>![x](http://evil.example/p.png) {{7*7}} </article>"
)


class Elements(HTMLParser):
    """The elements of a piece of HTML, with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text())
def test_html_text_never_begins_an_element_or_leaves_an_attribute(value: str) -> None:
    escaped = html_text(value)
    assert not set(escaped) & set("<>\"'")
    assert Elements(f'<p title="{escaped}">').tags[0][1].keys() == {"title"}


@given(st.text())
def test_markdown_text_keeps_every_mark_as_a_mark(value: str) -> None:
    escaped = markdown_text(value)
    assert "\n" not in escaped
    without_escapes = re.sub(r"\\[!-/:-@\[-`{-~]", "", escaped)
    assert not set(without_escapes) & set("\\`*_{}[]()#+-.!|<>~:$&")


@pytest.fixture(scope="module")
def hostile(database: str) -> OrderDetail:
    """An order with a hostile text in every text that an order document can have."""
    h = HOSTILE
    factories.take_in(
        document(
            order_id=1,
            order_name="A<b>1</b>",
            order_id_1c="<i>1</i>",
            checkout_page="<s>shop</s>",
            customer=dict.fromkeys(
                ("country", "email", "first_name", "last_name", "company_name", "company_billing_address",
                 "company_delivery_address"), h)
            | {"country": h[:60], "phone": h[:60], "vat_number": h[:60], "type": "legal"},
            payment={"payment_method": h, "payment_system_name": h + "2", "card_type": h, "card_last_4": "0042",
                     "card_expiration_date": h[:60]},
            items=[
                item(name=h, sku=h, product_id=h, license_user={"first_name": h, "last_name": h, "email": h},
                     activation_codes=[{"code": h}, {"code": h, "deleted": True}],
                     additional_fields=[{"name": h, "value": h}],
                     subscription={"id": h, "type": "AR", "status": "active"})
            ],
            additional_data=[{"name": h, "value": h}],
            history=[
                {"date": "2026-03-01T10:00:00Z", "kind": kind, "text": h} for kind in ("email", "error", "document")
            ],
            documents=[{"name": h, "kind": "payment", "content_base64": "AAAA"}],
        )
    )  # fmt: skip
    account = factories.account("anna", stores=["<s>shop</s>"])
    with viewer_transaction(account) as connection:
        return get_order(connection, factories.viewer(account), 1)


def draw(order: OrderDetail, url: str = "https://shop.example/1") -> str:
    return order_html(order, zone=ZoneInfo("UTC"), customer_page_url=url, order_link=lambda n: f"/?order={n}")


def skeleton(html: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(tag, tuple(sorted(attributes))) for tag, attributes in Elements(html).tags]


def harmless(value: Any) -> Any:
    """The same order with every hostile text replaced by a plain one."""
    if isinstance(value, str):
        return f"plain{len(value)}" if "<" in value or ">" in value else value
    if isinstance(value, tuple):
        return tuple(harmless(part) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: harmless(getattr(value, f.name)) for f in fields(value)})
    return value


def test_hostile_values_add_no_element_and_no_attribute(hostile: OrderDetail) -> None:
    html = draw(hostile)
    assert skeleton(html) == skeleton(draw(harmless(hostile)))
    assert Elements(html).text.count(HOSTILE) >= 15
    assert {tag for tag, _ in Elements(html).tags} <= {
        "article", "header", "div", "dl", "dt", "dd", "a", "bdi", "span", "section", "h2", "h3", "ol", "ul", "li",
        "del", "em", "time", "strong",
    }  # fmt: skip


def test_a_hostile_address_stays_inside_its_attribute(hostile: OrderDetail) -> None:
    html = draw(hostile, url='https://x.example/" onclick="alert(1)')
    [link] = [a for tag, a in Elements(html).tags if a.get("target")]
    assert "onclick" not in link and link["rel"] == "noopener noreferrer"


def test_the_customers_page_is_safe_too(hostile: OrderDetail) -> None:
    [[key]] = run("SELECT page_key::text FROM orders")
    with anonymous_transaction() as connection:
        order = get_customer_order(connection, key)
    assert skeleton(customer_html(order, key)) == skeleton(customer_html(harmless(order), key))
    assert not {tag for tag, _ in Elements(customer_html(order, key)).tags} & {
        "script",
        "img",
        "form",
        "iframe",
    }


def test_nothing_raw_is_shown_for_what_is_absent(hostile: OrderDetail) -> None:
    bare = document(order_id=2, checkout_page="<s>shop</s>", status="not paid", pay_date=None, customer={})
    factories.take_in(bare)
    account = factories.account("b", stores=["<s>shop</s>"])
    with viewer_transaction(account) as connection:
        text = Elements(draw(get_order(connection, factories.viewer(account), 2))).text
    for raw in ("None", "nan", "T10:00", "+00:00", "Decimal"):
        assert raw not in text
    assert "Payment date" not in text
    assert datetime(2026, 3, 1, tzinfo=UTC).strftime("%b %Y") in text
