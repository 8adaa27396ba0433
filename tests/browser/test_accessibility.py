"""No page breaks a rule of WCAG 2.2 AA that axe-core can check, in the light and in the dark theme."""

import importlib.resources
from typing import Any, Literal

from playwright.sync_api import Page, expect

from tests.browser.support import MAILABLE, NEVER_REFUNDED, Order, button, choose, dialog
from tests.support.chromium import settle
from tests.support.portal import Portal
from tests.support.signing_in import sign_in

AXE = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Everything once, and in the other theme what depends on colours.
EVERYTHING = {"runOnly": {"type": "tag", "values": LEVELS}, "rules": {"heading-order": {"enabled": True}}}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


def violations(page: Page, rules: dict[str, Any]) -> list[str]:
    """The rules that the page breaks, each with the first element that does."""
    settle(page)
    page.wait_for_function("() => document.getAnimations().every(a => a.playState !== 'running')")
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, rules)", rules)["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:200]}" for rule in found]


class Walk:
    """The violations of a walk through the pages, by the place where they are."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: dict[str, list[str]] = {}

    def look(self, place: str) -> None:
        themes: tuple[tuple[Literal["light", "dark"], dict[str, Any]], ...] = (
            ("dark", COLOURS),
            ("light", EVERYTHING),
        )
        for scheme, rules in themes:
            self.page.emulate_media(color_scheme=scheme)
            # Colours fade into one another: what counts is what stays.
            broken = violations(self.page, rules) and violations(self.page, rules)
            if broken:
                self.found[f"{place}, {scheme}"] = broken


def test_no_page_breaks_a_rule_of_accessibility(page: Page, portal: Portal) -> None:
    walk = Walk(page)
    page.goto("/")
    expect(page.get_by_label("Email")).to_be_visible(timeout=20_000)
    walk.look("sign-in")
    sign_in(page, portal, "admin@demo.example")
    page.get_by_text("More", exact=True).first.click()
    button(page, "Views").click()
    expect(page.get_by_test_id("stPopoverBody")).to_be_visible()
    walk.look("Orders, More and Views open")
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Orders").click()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    walk.look("keys")
    page.keyboard.press("Escape")
    order = Order(portal, f"o.status = 'paid' AND {NEVER_REFUNDED} AND {MAILABLE}")
    order.open(page)
    walk.look("order")
    button(page, "Request refund").click()
    expect(dialog(page).get_by_label("Refund reason")).to_be_visible()
    walk.look("dialog")
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    # A control: the same eyes see what is wrong.
    page.locator(".es-count").evaluate("(e) => { e.setAttribute('role', 'nothing') }")
    assert any(rule.startswith("aria-roles") for rule in violations(page, EVERYTHING))
    _queue(walk, portal)
    for address, shown in (("my_requests", "h1"), ("reports", ".es-figures"), ("profile", ".es-account")):
        page.goto(f"/{address}")
        expect(page.locator(shown).first).to_be_visible(timeout=20_000)
        walk.look(address)
    page.goto("/administration")
    expect(page.get_by_role("radio").first).to_be_visible(timeout=20_000)
    for part in page.get_by_role("radio").all():
        part.click()
        walk.look(f"administration, {part.text_content()}")
    assert walk.found == {}


def _queue(walk: Walk, portal: Portal) -> None:
    [[order_id]] = portal.execute(
        "SELECT order_id FROM refund_request WHERE closed_at IS NULL ORDER BY requested_at LIMIT 1"
    )
    choose(walk.page, portal, Order(portal, f"o.order_id = {int(order_id)}"))
    walk.look("refund queue")
