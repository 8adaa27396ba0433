"""How the browser tests act on an order of their own."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.table import box_of, click_row, rows_visible, scroll_rows, table_in
from tests.support.chromium import settle
from tests.support.mail_server import Accepted, MailServer
from tests.support.portal import Portal

MAILABLE = "o.email IS NOT NULL AND NOT o.customer_erased"
LIVE_CODE = "EXISTS (SELECT FROM activation_code c WHERE c.order_id = o.order_id AND NOT c.deleted)"
NEVER_REFUNDED = "o.total > 0 AND NOT EXISTS (SELECT FROM refund_request r WHERE r.order_id = o.order_id)"


class Order:
    """An order of the demo that this run of a test has for itself."""

    def __init__(self, portal: Portal, condition: str, store: str = "demo-eu") -> None:
        self._portal = portal
        [[self.order_id, self.name, self.email]] = portal.execute(
            "SELECT o.order_id, o.order_name, o.email FROM orders o JOIN checkout_page p ON p.id = o.checkout_page_id "
            f"WHERE p.name = %s AND {condition} AND NOT EXISTS (SELECT FROM order_history h WHERE "
            "h.order_id = o.order_id AND h.source = 'portal' AND h.at > now() - interval '1 hour') "
            "ORDER BY o.order_id DESC LIMIT 1",
            store,
        )

    def history(self) -> list[str]:
        """What was written in this hour, oldest first."""
        texts = self._portal.execute(
            "SELECT text FROM order_history WHERE order_id = %s AND source = 'portal' "
            "AND at > now() - interval '1 hour' ORDER BY id",
            self.order_id,
        )
        return [text for (text,) in texts]

    def open(self, page: Page) -> None:
        page.goto(f"/?order={self.order_id}")
        expect(page.locator(".es-order-name")).to_contain_text(self.name, timeout=20_000)
        settle(page)


# Buttons whose names say what they stand beside as well, for those who do not see it.
NAMED_BESIDE = {"Resend": "licence", "Reissue": "licence", "Cancel": "renewal", "Resume": "renewal"}


def button(page: Page | Locator, label: str) -> Locator:
    if beside := NAMED_BESIDE.get(label):
        return page.get_by_role("button", name=re.compile(rf"^{label}( {beside} of .*)?$", re.DOTALL))
    return page.get_by_role("button", name=label, exact=True)


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def said(page: Page, sentence: str) -> None:
    expect(page.get_by_test_id("stToast").filter(has_text=sentence)).to_be_visible(timeout=15_000)
    expect(dialog(page)).to_have_count(0)


def refused(page: Page, sentence: str) -> None:
    expect(dialog(page).get_by_role("alert").filter(has_text=sentence)).to_be_visible(timeout=15_000)


def arrived(page: Page, mailbox: MailServer, fits: Callable[[Accepted], bool]) -> Accepted:
    """The one message that fits; waits for it."""
    for _ in range(200):
        if mails := [got for got in mailbox.accepted if fits(got)]:
            assert len(mails) == 1
            return mails[0]
        page.wait_for_timeout(100)
    raise AssertionError("No such message arrived.")


def about(order: Order, to: str) -> Callable[[Accepted], bool]:
    return lambda got: order.name in str(got.message["Subject"]) and got.recipients == [to]


def subscribed(type_: str, status: str) -> str:
    return (
        "o.paid_at IS NOT NULL AND (SELECT count(*) FROM order_item i WHERE i.order_id = o.order_id) = 1 AND EXISTS "
        f"(SELECT FROM subscription s WHERE s.order_id = o.order_id AND s.type = '{type_}' AND s.status = '{status}')"
    )


def request(page: Page, order: Order, reason: str) -> None:
    order.open(page)
    button(page, "Request refund").click()
    dialog(page).get_by_label("Refund reason").fill(reason)
    button(dialog(page), "Send").click()


def choose(page: Page, portal: Portal, order: Order, view: str = "Open") -> None:
    """Opens the order's request in the refund queue, by clicking its row."""
    page.get_by_role("link", name="Refund queue").click()
    expect(page.get_by_role("heading", name="Refund queue")).to_be_visible(timeout=15_000)
    settle(page)
    is_closed = view == "Closed"
    if view != "Open":
        page.get_by_role("radio", name=view).click()
        settle(page)
    # Those that nobody has taken come first, the oldest first.
    [[row_number]] = portal.execute(
        "SELECT count(*) - 1 FROM refund_request r, (SELECT status <> 'requested' AS is_taken, requested_at "
        "FROM refund_request WHERE order_id = %s ORDER BY id DESC LIMIT 1) own "
        "WHERE r.closed_at IS NULL AND (r.status <> 'requested', r.requested_at) <= (own.is_taken, own.requested_at)"
        if not is_closed
        else "SELECT count(*) - 1 FROM refund_request WHERE closed_at >= "
        "(SELECT max(closed_at) FROM refund_request WHERE order_id = %s)",
        order.order_id,
    )
    scroll_rows(page, row_number)  # the row becomes the topmost one, or the last page is reached
    visible = rows_visible(box_of(table_in(page)))
    [[number]] = portal.execute(
        f"SELECT count(*) FROM refund_request WHERE closed_at IS {'NOT ' if is_closed else ''}NULL"
    )
    row = row_number - max(0, min(row_number, number - visible))
    click_row(page, row)
    expect(page.locator(".es-order-name")).to_contain_text(order.name, timeout=15_000)
    settle(page)


def press(page: Page, label: str, *, note: str | None = None, confirm: str | None = None) -> None:
    button(page, label).click()
    if note is not None:
        dialog(page).get_by_label("Note").fill(note)
    button(dialog(page), confirm or label).click()
