"""Signing in and out in Chromium. Accounts that are locked, disabled or changed are made for their test."""

import time
import urllib.request

import jwt
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from pages.web.browser_cookies import OLD_SESSION, SESSION
from services.authentication.sessions import REFUSED
from tests.support.chromium import whole_run
from tests.support.portal import PASSWORD, Portal, add_account
from tests.support.signing_in import sign_in_by_form, submit

# Set before the first script of a page: remembers whether the form was ever drawn, however briefly.
_WATCH_FOR_FORM = """
window.formWasSeen = false;
new MutationObserver(() => {
  if ([...document.querySelectorAll('button')].some(b => b.innerText.trim() === 'Sign in')) window.formWasSeen = true;
}).observe(document, {childList: true, subtree: true, characterData: true});
"""


def profile(page: Page) -> None:
    expect(page.get_by_role("heading", name="Profile", exact=True).first).to_be_visible(timeout=20_000)


def form(page: Page) -> None:
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("heading", name="Profile", exact=True)).to_have_count(0)


def refused(page: Page) -> None:
    expect(page.get_by_text(REFUSED)).to_be_visible(timeout=20_000)
    form(page)


def failures(portal: Portal, email: str) -> int:
    statement = (
        "SELECT count(*) FROM audit_log WHERE account_email = %s AND action = 'sign in' AND NOT succeeded"
    )
    return int(portal.execute(statement, email)[0][0])


def cookie_of(context: BrowserContext) -> str:
    return next(cookie["value"] for cookie in context.cookies() if cookie["name"] == SESSION)


def open_with_cookie(browser: Browser, portal: Portal, value: str) -> Page:
    context = browser.new_context(base_url=portal.url)
    context.add_cookies([{"name": SESSION, "value": value, "url": portal.url}])
    page = context.new_page()
    page.goto("/profile")
    return page


@pytest.mark.parametrize("name", ["admin", "refunds", "anna", "boris", "carla"])
def test_each_demo_account_signs_in(page: Page, name: str) -> None:
    page.goto("/profile")
    sign_in_by_form(page, f"{name}@demo.example")
    profile(page)
    expect(page.get_by_text(f"{name}@demo.example")).to_be_visible()


def test_the_address_that_was_asked_for_is_kept(page: Page) -> None:
    page.goto("/profile?order=1")
    sign_in_by_form(page, "anna@demo.example")
    profile(page)
    assert page.url.endswith("/profile?order=1")


def test_a_wrong_password_and_an_unknown_login_are_answered_alike(portal: Portal, page: Page) -> None:
    page.goto("/profile")
    submit(page, add_account(portal, "Wanda"), "a wrong password")
    refused(page)
    page.reload()
    submit(page, "nobody@test.example", PASSWORD)
    refused(page)
    assert SESSION not in [cookie["name"] for cookie in page.context.cookies()]


def test_the_fifth_failure_locks_and_then_the_right_password_is_refused(portal: Portal, page: Page) -> None:
    email = add_account(portal, "Lena")
    page.goto("/profile")
    attempts = [f"wrong password {number}" for number in range(1, 6)] + [PASSWORD]
    for number, password in enumerate(attempts, 1):
        submit(page, email, password)
        deadline = time.monotonic() + 20
        while failures(portal, email) < number:
            assert time.monotonic() < deadline, f"attempt {number} was not refused"
            page.wait_for_timeout(50)
        refused(page)


def test_f5_and_a_second_tab_stay_signed_in_without_a_flash_of_the_form(page: Page) -> None:
    page.goto("/profile")
    sign_in_by_form(page, "anna@demo.example")
    profile(page)
    page.add_init_script(_WATCH_FOR_FORM)
    page.reload()
    profile(page)
    assert page.evaluate("window.formWasSeen") is False
    second = page.context.new_page()
    second.add_init_script(_WATCH_FOR_FORM)
    second.goto("/profile")
    profile(second)
    assert second.evaluate("window.formWasSeen") is False


def test_signing_out_makes_a_copied_cookie_worthless(portal: Portal, browser: Browser, page: Page) -> None:
    page.goto("/profile")
    sign_in_by_form(page, "anna@demo.example")
    profile(page)
    copied = cookie_of(page.context)
    elsewhere = open_with_cookie(browser, portal, copied)
    profile(elsewhere)  # the control: until then it opens the portal
    page.get_by_role("button", name="Sign out").click()
    form(page)
    form(open_with_cookie(browser, portal, copied))
    elsewhere.get_by_role("link", name="Profile").click()
    form(elsewhere)
    deadline = time.monotonic() + 10
    while any(cookie["name"] == SESSION for cookie in page.context.cookies()):
        assert time.monotonic() < deadline, "the cookie was not deleted"
        page.wait_for_timeout(50)
    sign_in_by_form(page, "boris@demo.example")  # and the form works again in the same tab
    profile(page)
    page.reload()
    expect(page.get_by_text("boris@demo.example")).to_be_visible(timeout=20_000)


def test_the_menu_signs_out_as_well(page: Page) -> None:
    page.goto("/profile")
    sign_in_by_form(page, "carla@demo.example")
    profile(page)
    page.locator(".st-key-person_menu").get_by_role("button").click()
    page.get_by_role("menuitem", name="Sign out").or_(page.get_by_role("option", name="Sign out")).click()
    form(page)


def test_disabling_an_account_ends_its_open_page_at_the_next_click(portal: Portal, page: Page) -> None:
    email = add_account(portal, "Dora")
    page.goto("/profile")
    sign_in_by_form(page, email)
    profile(page)
    with whole_run(page):
        page.get_by_role("link", name="Profile").click()
    profile(page)
    portal.execute("UPDATE account SET disabled_at = now() WHERE email = %s", email)
    page.get_by_role("link", name="Profile").click()
    form(page)
    expect(page.get_by_text(email)).to_have_count(0)


@pytest.mark.parametrize("kind", ["another token", "garbage", "of 0.1.0"])
def test_a_forged_cookie_quietly_shows_the_form(portal: Portal, page: Page, kind: str) -> None:
    page.goto("/profile")
    sign_in_by_form(page, "anna@demo.example")
    token = cookie_of(page.context)
    name, value = {
        "another token": (SESSION, token[:-4] + "AAAA"),
        "garbage": (SESSION, "garbage"),
        # A script had set it, and scripts can read it: whoever has it must sign in again.
        "of 0.1.0": (OLD_SESSION, jwt.encode({"session": token}, "k" * 32)),
    }[kind]
    page.context.clear_cookies()
    page.context.add_cookies([{"name": name, "value": value, "url": portal.url}])
    page.reload()
    form(page)
    assert OLD_SESSION not in [cookie["name"] for cookie in page.context.cookies()]


def test_a_one_time_password_must_be_replaced_before_anything_else(portal: Portal, page: Page) -> None:
    email = add_account(portal, "Nora", must_change_password=True)
    page.goto("/profile")
    sign_in_by_form(page, email)
    heading = page.get_by_role("heading", name="Set a new password").first
    expect(heading).to_be_visible(timeout=20_000)
    page.goto("/profile")
    expect(heading).to_be_visible(timeout=20_000)
    expect(page.get_by_role("heading", name="Profile", exact=True)).to_have_count(0)
    for new, repeated, sentence in (
        ("short", "short", "Use at least 12 characters."),
        (PASSWORD, PASSWORD, "not the old one"),
        (f"x{email}x", f"x{email}x", "Your email must not be part"),
        ("quite long enough", "something else", "The two passwords are not the same."),
    ):
        page.get_by_label("New password", exact=True).fill(new)
        page.get_by_label("New password again").fill(repeated)
        page.get_by_role("button", name="Set password").click()
        expect(page.get_by_text(sentence)).to_be_visible(timeout=20_000)
    page.get_by_label("New password again").fill("quite long enough")
    page.get_by_role("button", name="Set password").click()
    profile(page)
    page.get_by_role("button", name="Sign out").click()
    form(page)
    submit(page, email, PASSWORD)
    refused(page)
    sign_in_by_form(page, email, "quite long enough")
    profile(page)


def test_changing_the_password_signs_other_browsers_out(portal: Portal, browser: Browser, page: Page) -> None:
    email = add_account(portal, "Petra")
    page.goto("/profile")
    sign_in_by_form(page, email)
    profile(page)
    elsewhere = browser.new_context(base_url=portal.url).new_page()
    elsewhere.goto("/profile")
    sign_in_by_form(elsewhere, email)
    profile(elsewhere)
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("quite long enough")
    page.get_by_label("New password again").fill("quite long enough")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Your password was changed.")).to_be_visible(timeout=20_000)
    expect(page.get_by_label("Current password")).to_have_value("")
    elsewhere.get_by_role("link", name="Profile").click()
    form(elsewhere)
    page.reload()
    profile(page)


def test_the_time_zone_follows_the_browser_until_one_is_chosen(portal: Portal, page: Page) -> None:
    email = add_account(portal, "Zoe")
    page.goto("/profile")
    sign_in_by_form(page, email)
    profile(page)
    zone = page.get_by_role("combobox", name="Time zone")
    expect(zone).to_have_value("Browser's time zone (Europe/Berlin)")
    zone.fill("Kolkata")
    page.get_by_role("option", name="Asia/Kolkata").click()
    expect(page.get_by_text("Your time zone was saved.")).to_be_visible(timeout=20_000)
    assert portal.execute("SELECT time_zone FROM account WHERE email = %s", email) == [("Asia/Kolkata",)]
    page.reload()
    profile(page)
    expect(zone).to_have_value("Asia/Kolkata")


def test_every_answer_carries_the_security_headers(portal: Portal) -> None:
    for path in ("/", "/health", "/_stcore/health"):
        with urllib.request.urlopen(portal.url + path, timeout=10) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert "connect-src 'self';" in answer.headers["Content-Security-Policy"]
            assert "ws:" not in answer.headers["Content-Security-Policy"]
            assert "img-src 'self' data: blob:;" in answer.headers["Content-Security-Policy"]
