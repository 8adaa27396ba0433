"""Address, form, chips, results and open order are always of one search: Back, Forward, F5, bookmarks and tabs."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.table import click_row
from tests.browser.test_orders import count, find
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import sign_in

# An order of demo-eu by itself, and the order before and after it.
_ORDERS = (
    "SELECT o.order_id, o.order_name, o.email FROM orders o JOIN checkout_page p ON p.id = checkout_page_id "
    "WHERE p.name = 'demo-eu' AND NOT customer_erased AND email_key IN (SELECT email_key FROM orders "
    "JOIN checkout_page p ON p.id = checkout_page_id WHERE p.name = 'demo-eu' GROUP BY 1 HAVING count(*) = 1) LIMIT 3"
)


@pytest.fixture
def orders(portal: Portal) -> list[tuple[Any, ...]]:
    return portal.execute(_ORDERS)


@pytest.fixture
def anna(page: Page, portal: Portal) -> Iterator[Page]:
    sign_in(page, portal, "anna@demo.example")
    expect(page.locator(".es-count")).to_have_count(1, timeout=20_000)
    yield page


def shows(page: Page, *, email: str = "", ids: str = "", order: str | None = None) -> None:
    """Everything on the page is of this search: the form, the chips, the open order, and the address."""
    chips = page.locator(".st-key-search_chips button")
    expected = [f"Order IDs: {ids}"] * bool(ids) + [f"Email: {email}"] * bool(email)
    cut = [
        chip if len(chip.split(": ")[1]) <= 28 else chip[: chip.index(": ") + 29] + "…" for chip in expected
    ]
    if cut:
        expect(chips).to_have_text(
            [re.compile("^" + re.escape(chip)) for chip in cut] + [re.compile("Clear all")], timeout=15_000
        )
    else:
        expect(chips).to_have_count(0, timeout=15_000)
    expect(page.get_by_label("Email", exact=True)).to_have_value(email)
    expect(page.get_by_label("Order IDs", exact=True)).to_have_value(ids)
    names = page.locator(".es-order-name")
    if order is None:
        expect(names).to_have_count(0)
        assert "order=" not in page.url
    else:
        expect(names).to_have_count(1)
        expect(names).to_contain_text(order)
    settle(page)
    # The address follows the page.
    has_search = re.compile("[?&]s=")
    if email or ids:
        expect(page).to_have_url(has_search)
    else:
        expect(page).not_to_have_url(has_search)


def test_back_and_forward_lead_through_the_searches(anna: Page, orders: list[tuple[Any, ...]]) -> None:
    (_, a_name, a_email), (_, b_name, b_email), _ = orders
    shows(anna)
    find(anna, Email=a_email)
    shows(anna, email=a_email, order=a_name)
    find(anna, Email=b_email)
    shows(anna, email=b_email, order=b_name)
    anna.go_back()
    shows(anna, email=a_email, order=a_name)
    anna.go_back()
    shows(anna)
    anna.go_forward()
    shows(anna, email=a_email, order=a_name)
    anna.reload()
    expect(anna.locator(".es-count")).to_have_count(1, timeout=20_000)
    shows(anna, email=a_email, order=a_name)
    anna.go_forward()
    shows(anna, email=b_email, order=b_name)
    count(anna, "1 order")


def test_every_step_is_one_entry_of_the_history(anna: Page, orders: list[tuple[Any, ...]]) -> None:
    (_, a_name, a_email), *_ = orders
    steps = [anna.evaluate("history.length")]

    def stepped() -> int:
        settle(anna)
        anna.wait_for_timeout(200)
        steps.append(anna.evaluate("history.length"))
        return int(steps[-1] - steps[-2])

    find(anna, Email=a_email)
    shows(anna, email=a_email, order=a_name)
    assert stepped() == 1
    anna.get_by_role("button", name="Close order").click()
    shows(anna, email=a_email)
    assert stepped() == 1
    anna.get_by_role("button", name="Clear all").click()
    shows(anna)
    assert stepped() == 1
    anna.get_by_role("button", name="Older").click()
    expect(anna.get_by_role("button", name="Newer")).to_be_visible()
    assert stepped() == 1
    anna.get_by_role("radio", name="Full").click()
    expect(anna.locator(".es-order-name")).to_have_count(10, timeout=15_000)
    assert stepped() == 1
    assert anna.url.endswith("?view=full")
    anna.go_back()
    expect(anna.get_by_role("button", name="Newer")).to_be_visible(timeout=15_000)
    expect(anna.locator(".es-order-name")).to_have_count(0)
    anna.go_back()
    shows(anna)
    anna.go_back()
    shows(anna, email=a_email)
    anna.go_back()
    shows(anna, email=a_email, order=a_name)
    anna.go_back()
    shows(anna)


def test_a_row_that_is_chosen_is_a_step_as_well(anna: Page) -> None:
    click_row(anna)
    expect(anna.locator(".es-order-name")).to_have_count(1, timeout=15_000)
    settle(anna)
    first = anna.locator(".es-order-name a").inner_text()
    address = anna.url
    assert "order=" in address
    anna.go_back()
    shows(anna)
    anna.go_forward()
    expect(anna.locator(".es-order-name a")).to_have_text(first, timeout=15_000)
    assert anna.url == address
    anna.reload()
    expect(anna.locator(".es-order-name a")).to_have_text(first, timeout=20_000)


def test_what_was_typed_and_not_searched_for_goes_with_back(
    anna: Page, orders: list[tuple[Any, ...]]
) -> None:
    (_, a_name, a_email), *_ = orders
    find(anna, Email=a_email)
    shows(anna, email=a_email, order=a_name)
    anna.get_by_label("Order IDs", exact=True).fill("12345")
    anna.get_by_label("Email", exact=True).fill("other@test.example")
    anna.go_back()
    shows(anna)


def test_another_tab_and_a_colleague_come_to_the_same_search(
    anna: Page, portal: Portal, orders: list[tuple[Any, ...]]
) -> None:
    (_, a_name, a_email), (_, b_name, b_email), _ = orders
    find(anna, Email=a_email)
    shows(anna, email=a_email, order=a_name)
    address = anna.url
    second = anna.context.new_page()
    second.goto(address)
    expect(second.locator(".es-count")).to_have_count(1, timeout=20_000)
    shows(second, email=a_email, order=a_name)
    find(second, Email=b_email)
    shows(second, email=b_email, order=b_name)
    second.go_back()
    shows(second, email=a_email, order=a_name)
    shows(anna, email=a_email, order=a_name)
    assert anna.context.browser
    other = anna.context.browser.new_context(base_url=anna.url.split("?")[0])
    try:
        colleague = other.new_page()
        colleague.goto(address)
        sign_in(colleague, portal, "carla@demo.example")
        shows(colleague, email=a_email, order=a_name)
        find(colleague, Email=b_email)
        shows(colleague, email=b_email, order=b_name)
        colleague.go_back()
        shows(colleague, email=a_email, order=a_name)
    finally:
        other.close()


def test_a_key_that_does_not_exist_says_so_and_shows_no_half_of_a_search(
    anna: Page, orders: list[tuple[Any, ...]]
) -> None:
    find(anna, Email=orders[0][2])
    shows(anna, email=orders[0][2], order=orders[0][1])
    anna.goto("/?s=AAAAAAAAAAAAAAAAAAAAAA")
    expect(anna.get_by_text("This saved search does not exist")).to_be_visible(timeout=20_000)
    expect(anna.locator(".es-count, .es-order-name, .st-key-search_chips")).to_have_count(0)
    expect(anna.get_by_label("Email", exact=True)).to_have_value("")
    anna.go_back()
    shows(anna, email=orders[0][2], order=orders[0][1])


def test_an_error_searches_nothing_and_back_forgets_it(anna: Page, orders: list[tuple[Any, ...]]) -> None:
    (_, a_name, a_email), *_ = orders
    find(anna, Email=a_email)
    shows(anna, email=a_email, order=a_name)
    address = anna.url
    find(anna, Order_IDs="none")
    expect(anna.locator(".es-field-error")).to_have_count(1)
    expect(anna.locator(".es-count, .es-order-name, .st-key-search_chips")).to_have_count(0)
    assert anna.url == address
    anna.go_back()
    expect(anna.locator(".es-field-error")).to_have_count(0, timeout=15_000)
    shows(anna)
