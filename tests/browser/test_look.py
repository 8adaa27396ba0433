"""What can be read: every text of the pages stands out from what is behind it, in either theme."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.support import Order, button
from tests.support.chromium import VIEWPORT, settle
from tests.support.portal import Portal
from tests.support.signing_in import sign_in

CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


def pale(page: Page) -> list[str]:
    """The texts below AA. Buttons fade from one colour to another, so that only what stays pale counts."""
    settle(page)
    page.wait_for_function("() => document.getAnimations().every(one => one.playState !== 'running')")
    texts: list[str] = page.evaluate(CONTRAST)
    return texts


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(scheme: str, browser: Browser, portal: Portal) -> None:
    context = browser.new_context(viewport=VIEWPORT, base_url=portal.url, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    try:
        page.goto("/")
        expect(page.get_by_label("Email")).to_be_visible(timeout=20_000)
        assert pale(page) == []
        sign_in(page, portal, "admin@demo.example")
        Order(portal, "o.status = 'paid'").open(page)
        expect(button(page, "Add note")).to_be_visible(timeout=15_000)
        assert pale(page) == []
        # A control: the same eyes see words that are too pale.
        page.locator(".es-count").evaluate("(one) => { one.style.opacity = '.3' }")
        assert [text for text in pale(page) if "orders" in text]
        for address, shown in (
            ("/reports", ".es-figures"),
            ("/administration", "[data-testid=stDataFrame]"),
            ("/profile", ".es-account"),
        ):
            page.goto(address)
            expect(page.locator(shown).first).to_be_visible(timeout=20_000)
            assert pale(page) == [], address
    finally:
        context.close()
