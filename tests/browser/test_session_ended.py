"""A session that ends while somebody works: what they are told, what they get back, and what nobody sees any more."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.support import MAILABLE, NEVER_REFUNDED, Order, button, dialog
from tests.browser.test_orders import count
from tests.support.chromium import settle
from tests.support.portal import PASSWORD, Portal, add_account
from tests.support.signing_in import put_session, sign_in, submit

REASON = "The customer bought it twice,\nby mistake."


@pytest.fixture
def eva(portal: Portal) -> str:
    """A specialist of their own, who sees demo-eu."""
    email = add_account(portal, "eva")
    portal.execute(
        "INSERT INTO account_page (account_id, checkout_page_id) SELECT a.id, p.id FROM account a, checkout_page p "
        "WHERE a.email = %s AND p.name = 'demo-eu'",
        email,
    )
    return email


def end_session(portal: Portal, email: str, reason: str) -> None:
    portal.execute(
        "UPDATE account_session SET ended_at = now(), ended_because = %s "
        "WHERE account_id = (SELECT id FROM account WHERE email = %s) AND ended_at IS NULL",
        reason,
        email,
    )


def write_reason(page: Page, portal: Portal) -> Order:
    order = Order(portal, f"o.status = 'paid' AND {NEVER_REFUNDED} AND {MAILABLE}")
    order.open(page)
    button(page, "Request refund").click()
    dialog(page).get_by_label("Refund reason").fill(REASON)
    return order


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("signed out", "You signed out in another tab"),
        ("reset", "an administrator reset the password"),
        ("ended", "by an administrator"),
    ],
)
def test_the_text_is_there_again_after_signing_in(
    page: Page, portal: Portal, eva: str, reason: str, sentence: str
) -> None:
    put_session(page, portal, eva)
    order = write_reason(page, portal)
    end_session(portal, eva, reason)
    button(dialog(page), "Send").click()
    expect(page.locator(".es-ended")).to_contain_text(sentence, timeout=15_000)
    expect(page.locator(".es-ended")).to_contain_text("What you were writing is kept.")
    expect(dialog(page)).to_have_count(0)
    expect(page.get_by_text(order.name)).to_have_count(0)
    submit(page, eva)
    expect(dialog(page).get_by_label("Refund reason")).to_have_value(REASON, timeout=20_000)
    expect(page.locator(".es-order-name")).to_contain_text(order.name)
    settle(page)
    button(dialog(page), "Send").click()
    expect(dialog(page)).to_have_count(0, timeout=15_000)
    assert portal.execute("SELECT reason FROM refund_request WHERE order_id = %s", order.order_id) == [
        (REASON,)
    ]


def test_nobody_else_gets_the_text(page: Page, portal: Portal, eva: str) -> None:
    put_session(page, portal, eva)
    write_reason(page, portal)
    end_session(portal, eva, "signed out")
    button(dialog(page), "Send").click()
    expect(page.locator(".es-ended")).to_be_visible(timeout=15_000)
    submit(page, "anna@demo.example")
    expect(page.locator(".es-order-name")).to_be_visible(timeout=20_000)
    settle(page)
    expect(dialog(page)).to_have_count(0)
    assert "bought it twice" not in page.content()


def test_a_search_that_met_the_end_is_done_after_signing_in(page: Page, portal: Portal, eva: str) -> None:
    sign_in(page, portal, eva)
    expect(page.locator(".es-count")).to_have_count(1, timeout=20_000)
    end_session(portal, eva, "password changed")
    page.get_by_label("Email", exact=True).fill("nobody@test.example")
    page.get_by_label("Email", exact=True).press("Enter")
    expect(page.locator(".es-ended")).to_contain_text(
        "the password of your account was changed", timeout=15_000
    )
    submit(page, eva)
    count(page, "0 orders")
    expect(page.get_by_label("Email", exact=True)).to_have_value("nobody@test.example")


def test_the_reason_is_said_after_f5_as_well_and_only_to_whom_it_concerns(
    page: Page, portal: Portal, eva: str
) -> None:
    page.goto("/")
    expect(button(page, "Sign in")).to_be_visible(timeout=20_000)
    expect(page.locator(".es-ended")).to_have_count(0)
    sign_in(page, portal, eva)
    expect(page.locator(".es-count")).to_have_count(1, timeout=20_000)
    portal.execute("UPDATE account SET disabled_at = now() WHERE email = %s", eva)
    page.reload()
    expect(page.locator(".es-ended")).to_contain_text("your account was disabled", timeout=20_000)
    assert PASSWORD not in page.content()


def test_signing_out_says_nothing(page: Page, portal: Portal, eva: str) -> None:
    sign_in(page, portal, eva)
    page.get_by_role("button", name="eva").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(button(page, "Sign in")).to_be_visible(timeout=15_000)
    expect(page.locator(".es-ended")).to_have_count(0)


def test_a_withdrawn_store_closes_the_dialog_with_a_sentence(page: Page, portal: Portal, eva: str) -> None:
    put_session(page, portal, eva)
    order = write_reason(page, portal)
    portal.execute(
        "DELETE FROM account_page WHERE account_id = (SELECT id FROM account WHERE email = %s)", eva
    )
    button(dialog(page), "Send").click()
    expect(page.get_by_test_id("stToast").filter(has_text="There is no such order")).to_be_visible(
        timeout=15_000
    )
    expect(dialog(page)).to_have_count(0)
    settle(page)
    expect(page.get_by_text(order.email)).to_have_count(0)
    assert portal.execute("SELECT 1 FROM refund_request WHERE order_id = %s", order.order_id) == []


def test_signing_out_in_another_tab_takes_the_order_away(
    page: Page, context: BrowserContext, portal: Portal, eva: str
) -> None:
    put_session(page, portal, eva)
    order = write_reason(page, portal)
    other = context.new_page()
    other.goto("/")
    expect(other.locator(".es-count")).to_have_count(1, timeout=20_000)
    settle(other)
    other.get_by_role("button", name="eva").click()
    other.get_by_role("menuitem", name="Sign out").click()
    expect(button(other, "Sign in")).to_be_visible(timeout=15_000)
    button(dialog(page), "Send").click()
    expect(page.locator(".es-ended")).to_contain_text("You signed out in another tab", timeout=15_000)
    assert order.email not in page.content()
