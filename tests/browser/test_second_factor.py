"""The second factor in Chromium: set up on the profile, asked for at the next sign-in, required of a role."""

import time

import pyotp
from playwright.sync_api import Browser, Page, expect

from tests.browser.support import button
from tests.support.chromium import settle
from tests.support.portal import Portal, add_account
from tests.support.signing_in import sign_in_by_form, stays_signed_in, submit


def key_on(page: Page) -> str:
    shown = page.locator(".es-mono").filter(has_text="").first.inner_text()
    return "".join(shown.split())


def code(secret: str, steps: int = 0) -> str:
    left = 30 - time.time() % 30
    if steps < 0 and left < 5:  # an earlier code is about to become too old
        time.sleep(left)
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)


def set_up(page: Page) -> tuple[str, str]:
    """Types a code of the key that is shown; the key and a recovery code."""
    expect(page.get_by_label("Code of the app")).to_be_visible(timeout=15_000)
    expect(page.locator("img[src^='data:image/svg']").first).to_be_visible()
    secret = key_on(page)
    page.get_by_label("Code of the app").fill("000000")
    page.get_by_label("Current password").last.fill("demo-Portal-1")
    button(page, "Switch on").click()
    expect(page.get_by_role("alert").filter(has_text="not the code that the app shows")).to_be_visible(
        timeout=15_000
    )
    page.get_by_label("Code of the app").fill(code(secret, -1))
    page.get_by_label("Current password").last.fill("not my password")
    button(page, "Switch on").click()
    expect(page.get_by_role("alert").filter(has_text="not your current password")).to_be_visible(
        timeout=15_000
    )
    page.get_by_label("Code of the app").fill(code(secret, -1))
    page.get_by_label("Current password").last.fill("demo-Portal-1")
    button(page, "Switch on").click()
    expect(page.get_by_text("Keep these recovery codes")).to_be_visible(timeout=15_000)
    recovery = page.locator("ul.es-mono li").first.inner_text()
    button(page, "I have saved them").click()
    expect(page.get_by_text("It is on:")).to_be_visible(timeout=15_000)
    settle(page)
    return secret, recovery


def test_set_up_asked_for_and_switched_off(page: Page, portal: Portal, browser: Browser) -> None:
    email = add_account(portal, "two-factors")
    sign_in_by_form(page, email)
    page.goto("/profile")
    button(page, "Set up").click()
    secret, recovery = set_up(page)
    [[mailed]] = portal.execute("SELECT text_body FROM mail WHERE to_address = %s", email)
    assert "A second factor was set up" in mailed and "Browser: Chrome on Linux" in mailed
    other = browser.new_context(base_url=portal.url).new_page()
    try:
        other.goto("/")
        submit(other, email)
        expect(other.get_by_label("Code", exact=True)).to_be_visible(timeout=15_000)
        # The password alone has opened nothing.
        assert not any(cookie["name"] == "esupport" for cookie in other.context.cookies())
        other.get_by_label("Code", exact=True).fill("000000")
        button(other, "Sign in").click()
        expect(other.get_by_role("alert").filter(has_text="This code is not right")).to_be_visible(
            timeout=15_000
        )
        other.get_by_label("Code", exact=True).fill(code(secret))
        button(other, "Sign in").click()
        expect(other.get_by_role("link", name="Profile")).to_be_visible(timeout=20_000)
        stays_signed_in(other)
        other.goto("/profile")
        expect(other.get_by_role("heading", name="Profile")).to_be_visible(timeout=20_000)
        other.context.clear_cookies()
        other.goto("/")
        submit(other, email)
        other.get_by_label("Code", exact=True).fill(recovery)
        button(other, "Sign in").click()
        expect(other.get_by_role("link", name="Profile")).to_be_visible(timeout=20_000)
    finally:
        other.context.close()
    page.get_by_label("Current password").last.fill("demo-Portal-1")
    button(page, "Switch off").click()
    expect(button(page, "Set up")).to_be_visible(timeout=15_000)


def test_a_role_that_must_have_one_gets_no_further_without(page: Page, portal: Portal) -> None:
    # No demo account is an analyst's but carla's; other tests need her at once, so the rule is for a moment only.
    email = add_account(portal, "must", role="analyst")
    sign_in_by_form(page, email)
    portal.execute("UPDATE role_rule SET second_factor_required = true WHERE role = 'analyst'")
    try:
        page.goto("/")
        expect(page.get_by_text("Set up a second factor")).to_be_visible(timeout=20_000)
        expect(page.get_by_role("link", name="Profile")).to_have_count(0)
        set_up(page)
        page.goto("/")
        expect(page.get_by_role("link", name="Profile")).to_be_visible(timeout=20_000)
    finally:
        portal.execute("UPDATE role_rule SET second_factor_required = false")
