"""Texts of mails to customers in Chromium: edited beside their preview, refused in words, reset."""

from playwright.sync_api import Page, expect

from tests.browser.support import button, dialog, said
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import sign_in


def test_a_text_is_changed_with_its_preview_beside_it_and_reset(page: Page, portal: Portal) -> None:
    sign_in(page, portal, "admin@demo.example")
    page.goto("/administration")
    page.get_by_role("radio", name="Texts").click(timeout=20_000)
    preview = page.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("Hello Luís Gonçalves,", timeout=15_000)
    settle(page)
    text = page.get_by_label("Text", exact=True)
    text.fill("Dear {{ customer.name }}, {{ order }} {{ sum }}")
    text.press("Control+Enter")
    expect(page.locator(".es-field-error")).to_contain_text(
        "Line 1: only placeholders such as {{ order }}", timeout=15_000
    )
    expect(preview).to_have_count(0)
    text.fill(
        "Dear {{ customer }},\n\nthe money for {{ order }}, {{ sum }}, is on its way.\n\n<b>{{ store }}</b>"
    )
    button(page, "Save text").click()
    said(page, "The text was saved: Full refund, English, of")
    expect(preview).to_contain_text("the money for A0012345678, EUR 1,234.50, is on its way.")
    expect(preview).to_contain_text("<b>")
    expect(page.get_by_text("This checkout page has a text of its own.")).to_be_visible()
    assert portal.execute("SELECT kind, language FROM mail_text") == [("full", "en")]
    settle(page)
    button(page, "Use the built-in text").click()
    button(dialog(page), "Use the built-in text").click()
    said(page, "The built-in text is used again")
    expect(preview).to_contain_text("Hello Luís Gonçalves,", timeout=15_000)
    assert portal.execute("SELECT count(*) FROM mail_text") == [(0,)]
