"""Administration in Chromium: from a new account to its first search, and what ends it."""

import re
import uuid

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.support import arrived, button, dialog, said
from tests.browser.table import click_row
from tests.support.chromium import settle
from tests.support.mail_server import MailServer
from tests.support.portal import PROJECT, Portal, add_account
from tests.support.signing_in import put_session, sign_in, sign_in_by_form, stays_signed_in, submit

NEW = "a new password 1"


def section(page: Page, name: str) -> None:
    page.get_by_role("link", name="Administration").click()
    expect(page.get_by_role("heading", name="Administration")).to_be_visible(timeout=15_000)
    settle(page)
    page.get_by_role("radio", name=name).click()
    settle(page)


def choose_account(page: Page, email: str) -> None:
    """Narrows the list to this account and opens it."""
    section(page, "Accounts")
    page.get_by_label("Search accounts").fill(email)
    page.get_by_label("Search accounts").press("Enter")
    settle(page)
    click_row(page)
    expect(button(page, "Edit")).to_be_visible(timeout=15_000)


def other_browser(browser: Browser, portal: Portal) -> Page:
    return browser.new_context(viewport={"width": 1440, "height": 900}, base_url=portal.url).new_page()


def sign_in_for_the_first_time(page: Page, email: str, one_time_password: str) -> None:
    submit(page, email, one_time_password)
    expect(page.get_by_label("New password", exact=True)).to_be_visible(timeout=20_000)
    stays_signed_in(page)
    for password in ("short", NEW):
        page.get_by_label("New password", exact=True).fill(password)
        page.get_by_label("New password again").fill(password)
        button(page, "Set password").click()
        if password == "short":
            expect(page.get_by_role("alert").filter(has_text="at least 12 characters")).to_be_visible()


def test_from_a_new_account_to_its_first_search(
    page: Page, portal: Portal, browser: Browser, mailbox: MailServer
) -> None:
    email = f"nora-{uuid.uuid4().hex[:8]}@team.example"
    sign_in(page, portal, "admin@demo.example")
    section(page, "Accounts")
    button(page, "New account").click()
    dialog(page).get_by_label("E-mail").fill(email)
    button(dialog(page), "Create account").click()
    expect(dialog(page).get_by_role("alert").filter(has_text="A name has 1 to 200")).to_be_visible()
    dialog(page).get_by_label("Name", exact=True).fill("Nora <b>Neu</b>")
    dialog(page).get_by_label("Teams", exact=True).click()
    page.get_by_role("option", name="Europe").click()
    dialog(page).get_by_label("Name", exact=True).click()
    button(dialog(page), "Create account").click()
    said(page, "was created. A one-time password is on its way")
    got = arrived(page, mailbox, lambda mail: mail.recipients == [email])
    match = re.search("One-time password: (.*)", got.text)
    assert match and email in got.text
    nora = other_browser(browser, portal)
    try:
        nora.goto("/")
        sign_in_for_the_first_time(nora, email, match[1])
        [[number]] = portal.execute(
            "SELECT count(*) FROM orders JOIN checkout_page p ON p.id = checkout_page_id WHERE p.name = 'demo-eu'"
        )
        expect(nora.locator(".es-count")).to_have_text(f"{number:,} orders", timeout=20_000)
        settle(nora)
        # Disabled: the next click leads to the sign-in form.
        choose_account(page, email)
        button(page, "Disable").click()
        button(dialog(page), "Disable").click()
        said(page, "is disabled.")
        nora.reload()
        expect(button(nora, "Sign in")).to_be_visible(timeout=20_000)
    finally:
        nora.context.close()
    section(page, "Audit log")
    unfiltered = button(page, "Export CSV").get_attribute("href") or ""
    page.get_by_label("Account", exact=True).fill(email)
    page.get_by_label("Account", exact=True).press("Enter")
    expect(button(page, "Export CSV")).not_to_have_attribute("href", unfiltered, timeout=15_000)
    settle(page)
    with page.expect_download() as download:
        button(page, "Export CSV").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 3 and all(email in line for line in lines[1:])
    actions = portal.execute("SELECT action FROM audit_log WHERE account_email = %s ORDER BY id", email)
    assert [action for (action,) in actions] == ["sign in", "change password"]


def test_a_forgotten_password(page: Page, portal: Portal, mailbox: MailServer) -> None:
    email = add_account(portal, "forgetful")
    page.goto("/")
    for login in ("nobody@team.example", email):
        button(page, "Forgot password?").click()
        expect(button(page, "Send link")).to_be_visible(timeout=15_000)
        settle(page)
        page.get_by_label("Email").fill(login)
        button(page, "Send link").click()
        expect(page.get_by_text("If there is an account with this e-mail")).to_be_visible(timeout=15_000)
    assert mailbox.to("nobody@team.example") == []
    got = arrived(page, mailbox, lambda mail: mail.recipients == [email])
    match = re.search(r"/\?reset=[\w-]+", got.text)
    assert match
    page.goto(match[0])
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password again").fill(NEW + "x")
    button(page, "Set password").click()
    expect(page.get_by_role("alert").filter(has_text="not the same")).to_be_visible()
    page.get_by_label("New password again").fill(NEW)
    button(page, "Set password").click()
    expect(page.get_by_text("Your password was set. Sign in with it.")).to_be_visible(timeout=15_000)
    sign_in_by_form(page, email, NEW)
    expect(page.get_by_text("No store yet").or_(page.locator(".es-count"))).to_be_visible(timeout=15_000)
    page.goto(match[0])
    expect(page.get_by_text("This link was used already")).to_be_visible(timeout=15_000)


def test_another_browser_is_signed_out_from_the_profile(page: Page, portal: Portal, browser: Browser) -> None:
    email = add_account(portal, "two-browsers")
    put_session(page, portal, email)
    other = other_browser(browser, portal)
    try:
        sign_in(other, portal, email)
        page.goto("/profile")
        expect(page.get_by_text("this browser")).to_have_count(1, timeout=15_000)
        button(page, "End").click()
        expect(page.get_by_text("The session was ended.").first).to_be_visible(timeout=15_000)
        expect(button(page, "End")).to_have_count(0)
        other.reload()
        expect(button(other, "Sign in")).to_be_visible(timeout=20_000)
    finally:
        other.context.close()


def test_personal_data_is_deleted_after_a_preview(page: Page, portal: Portal) -> None:
    email = "please.delete@customer.example"
    [[order_id, name]] = portal.execute(
        "UPDATE orders SET email = %s WHERE order_id = (SELECT max(order_id) FROM orders WHERE status = 'paid' "
        "AND NOT customer_erased AND refund_status IS NULL) RETURNING order_id, order_name",
        email,
    )
    sign_in(page, portal, "admin@demo.example")
    section(page, "Personal data")
    page.get_by_label("E-mail of the person").fill(email)
    button(page, "Preview").click()
    expect(page.get_by_text("1 order:")).to_be_visible(timeout=15_000)
    button(page, "Delete personal data").click()
    expect(dialog(page)).to_contain_text(email)
    button(dialog(page), "Delete").click()
    said(page, "The personal data was deleted from 1 order.")
    # A toast is short; the page goes on saying it.
    alert = page.get_by_test_id("stAlert").filter(has_text="The personal data was deleted from 1 order.")
    expect(alert).to_be_visible(timeout=15_000)
    page.goto(f"/?order={order_id}")
    expect(page.locator(".es-order-name")).to_contain_text(name, timeout=20_000)
    expect(page.get_by_text("Personal data anonymize").first).to_be_visible()
    expect(page.get_by_text(email)).to_have_count(0)
    # Neither did the web server write it down, in the search or in the deletion.
    assert portal.log.stat().st_size > 0
    assert email not in portal.log.read_text(errors="replace")


def test_demo_accounts_on_a_server_are_warned_of(page: Page, portal: Portal) -> None:
    page.goto("/")
    expect(page.get_by_role("alert").filter(has_text="Demo accounts are active")).to_be_visible(
        timeout=15_000
    )


PAGES = {
    "refund_queue": {"refunds", "admin"},
    "my_requests": {"anna", "refunds", "admin"},
    "administration": {"admin"},
    "reports": {"anna", "carla", "refunds", "admin"},
    "profile": {"anna", "carla", "refunds", "admin"},
}


@pytest.mark.parametrize("who", ["anna", "carla", "refunds", "admin"])
def test_pages_open_for_whom_they_are(page: Page, portal: Portal, who: str) -> None:
    files = {file.stem for file in (PROJECT / "pages").glob("*.py")}
    assert set(PAGES) <= files
    put_session(page, portal, f"{who}@demo.example")
    for address, roles in PAGES.items():
        page.goto(f"/{address}")
        refusal = page.get_by_text("This page is not for your account.")
        expect(refusal.or_(page.get_by_role("heading", level=1))).to_be_visible(timeout=15_000)
        settle(page)
        assert refusal.count() == (who not in roles), address
        # What cannot be opened is not offered either.
        assert page.locator(f"nav a[href$='/{address}'], header a[href$='/{address}']").count() == (
            who in roles
        )


def test_administrators_see_on_every_section_why_mails_wait(
    page: Page, portal: Portal, mailbox: MailServer
) -> None:
    mailbox.on_mail = lambda _: "553 5.7.1 <esupport@localhost>: not yours to send as"
    try:
        portal.execute(
            "INSERT INTO mail (message_id, kind, to_address, subject, text_body) "
            "VALUES ('<waits@test.example>', 'refund', 'waits@team.example', 'Waits', 't')"
        )
        sign_in(page, portal, "admin@demo.example")
        why = "The mail server answered 553 5.7.1 <esupport@localhost>: not yours to send as"
        for name in ("Accounts", "Mail log"):
            section(page, name)
            expect(page.get_by_text(why)).to_be_visible(timeout=30_000)
        expect(page.get_by_text("No mail is lost")).to_be_visible()
    finally:
        mailbox.on_mail = lambda _: None
    arrived(page, mailbox, lambda mail: mail.recipients == ["waits@team.example"])
    assert portal.execute("SELECT trouble FROM mail_server") == [(None,)]
