"""What is done to an order in Chromium, and the mail that arrives. Each test takes an order that no other has."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Portal, settle, sign_in
from tests.mail_server import Accepted, MailServer

FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}\N{ZERO WIDTH JOINER}\N{BOY}"
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
        found = self._portal.execute(
            "SELECT text FROM order_history WHERE order_id = %s AND source = 'portal' "
            "AND at > now() - interval '1 hour' ORDER BY id",
            self.order_id,
        )
        return [text for (text,) in found]

    def open(self, page: Page) -> None:
        page.goto(f"/?order={self.order_id}")
        expect(page.locator(".es-order-name")).to_contain_text(self.name, timeout=20_000)
        settle(page)


def button(page: Page | Locator, label: str) -> Locator:
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
        if found := [got for got in mailbox.accepted if fits(got)]:
            assert len(found) == 1
            return found[0]
        page.wait_for_timeout(100)
    raise AssertionError("No such message arrived.")


def about(order: Order, to: str) -> Callable[[Accepted], bool]:
    return lambda got: order.name in str(got.message["Subject"]) and got.recipients == [to]


# Licences


def test_resend_reaches_the_customer_and_not_the_licence_user(
    page: Page, portal: Portal, mailbox: MailServer
) -> None:
    order = Order(
        portal,
        f"o.status = 'paid' AND {MAILABLE} AND {LIVE_CODE} AND EXISTS (SELECT FROM order_item i "
        "WHERE i.order_id = o.order_id AND i.license_email IS NOT NULL AND i.license_email <> o.email)",
    )
    sign_in(page, "anna@demo.example")
    order.open(page)
    button(page, "Resend").first.click()
    code = dialog(page).locator(".es-mono").last.inner_text()
    expect(dialog(page)).to_contain_text(order.email)
    button(dialog(page), "Resend").dblclick()
    said(page, f"The licence of order {order.name} is being sent to {order.email}.")
    got = arrived(page, mailbox, about(order, order.email))
    assert got.message["Subject"] == f"Your licence for order {order.name}"
    assert code in got.text and code in got.html
    page.wait_for_timeout(500)
    [line] = order.history()
    assert re.fullmatch(
        rf"Licence e-mail has been sent to {re.escape(order.email)} \(item \d+, code \d+\)", line
    )
    order.open(page)
    expect(page.locator(".es-history").get_by_text(line)).to_be_visible()
    users = portal.execute("SELECT license_email FROM order_item WHERE order_id = %s", order.order_id)
    assert not any(mailbox.to(address) for (address,) in users if address)


@pytest.mark.parametrize(
    ("condition", "store", "why"),
    [
        ("o.status = 'terminated'", "demo-eu", "Licences are sent only while the order is Paid."),
        ("o.status = 'paid' AND o.email IS NOT NULL", "demo-apac", "Delivery is not allowed for this checkout page."),
        ("o.status = 'paid' AND o.customer_erased", "demo-eu", "The customer's e-mail was deleted at their request."),
    ],
)  # fmt: skip
def test_the_page_says_why_there_is_no_resend(
    condition: str, store: str, why: str, page: Page, portal: Portal
) -> None:
    order = Order(portal, f"{condition} AND {LIVE_CODE}", store)
    sign_in(page, "refunds@demo.example")
    order.open(page)
    expect(page.get_by_text(f"No Resend: {why}")).to_be_visible()
    expect(button(page, "Resend")).to_have_count(0)


def test_deleted_codes_have_no_resend(page: Page, portal: Portal) -> None:
    order = Order(
        portal,
        f"o.status = 'paid' AND {MAILABLE} AND {LIVE_CODE} AND EXISTS "
        "(SELECT FROM activation_code c WHERE c.order_id = o.order_id AND c.deleted)",
    )
    [[live]] = portal.execute(
        "SELECT count(*) FROM activation_code WHERE order_id = %s AND NOT deleted", order.order_id
    )
    sign_in(page, "anna@demo.example")
    order.open(page)
    expect(page.locator(".es-code del").first).to_be_visible()
    expect(button(page, "Resend")).to_have_count(live)


def test_a_corrected_email_gets_the_licence(page: Page, portal: Portal, mailbox: MailServer) -> None:
    order = Order(portal, f"o.status = 'paid' AND {MAILABLE} AND {LIVE_CODE}")
    sign_in(page, "anna@demo.example")
    order.open(page)
    button(page, "Correct e-mail").click()
    dialog(page).get_by_label("New e-mail").fill("no address")
    button(dialog(page), "Save e-mail").click()
    refused(page, "This is no e-mail address that mail can be sent to.")
    expect(dialog(page).get_by_label("New e-mail")).to_have_value("no address")
    dialog(page).get_by_label("New e-mail").fill("right@customer.example")
    button(dialog(page), "Save e-mail").click()
    said(page, f"The e-mail of order {order.name} is now right@customer.example.")
    line = f"The customer's e-mail was corrected from {order.email} to right@customer.example"
    expect(page.locator(".es-history").get_by_text(line)).to_be_visible()
    [[details]] = portal.execute(
        "SELECT details FROM audit_log WHERE order_id = %s AND succeeded AND action = 'correct e-mail'",
        order.order_id,
    )
    assert details == {"old": order.email, "new": "right@customer.example"}
    settle(page)
    button(page, "Resend").first.click()
    button(dialog(page), "Resend").click()
    said(page, "is being sent to right@customer.example.")
    arrived(page, mailbox, about(order, "right@customer.example"))
    assert not [got for got in mailbox.to(order.email) if order.name in str(got.message["Subject"])]


# Subscriptions


def subscribed(type_: str, status: str) -> str:
    return (
        "o.paid_at IS NOT NULL AND (SELECT count(*) FROM order_item i WHERE i.order_id = o.order_id) = 1 AND EXISTS "
        f"(SELECT FROM subscription s WHERE s.order_id = o.order_id AND s.type = '{type_}' AND s.status = '{status}')"
    )


def test_cancel_and_resume(page: Page, portal: Portal) -> None:
    order = Order(portal, subscribed("AR", "active"))
    sign_in(page, "anna@demo.example")
    order.open(page)
    expect(page.get_by_text("Auto-renewal has been activated").first).to_be_visible()
    button(page, "Cancel").click()
    expect(dialog(page)).to_contain_text(order.name)
    dialog(page).get_by_label("Reason (optional)").fill("Asked by phone")
    button(dialog(page), "Cancel subscription").click()
    said(page, f"Auto-renewal has been deactivated for order {order.name}.")
    expect(page.locator(".es-subscribed")).to_contain_text("Auto-renewal has been deactivated")
    expect(page.locator(".es-subscribed")).to_contain_text("cancelled by Anna Andersson: Asked by phone")
    settle(page)
    button(page, "Resume").click()
    button(dialog(page), "Resume subscription").click()
    said(page, f"Auto-renewal has been activated for order {order.name}.")
    expect(button(page, "Cancel")).to_be_visible()
    [first, second] = order.history()
    assert first.startswith("Auto-renewal has been deactivated") and first.endswith("Reason: Asked by phone")
    assert second.startswith("Auto-renewal has been activated")
    rows = portal.execute(
        "SELECT changed_by, change_reason, changed_at IS NOT NULL FROM subscription WHERE order_id = %s",
        order.order_id,
    )
    assert rows == [("anna@demo.example", "Resume in the support portal", True)]


def test_a_cancelled_pmr_says_that_it_cannot_be_resumed(page: Page, portal: Portal) -> None:
    order = Order(portal, subscribed("PMR", "active"))
    sign_in(page, "anna@demo.example")
    order.open(page)
    button(page, "Cancel").click()
    expect(dialog(page)).to_contain_text("A PMR subscription cannot be resumed afterwards.")
    button(dialog(page), "Cancel subscription").click()
    said(page, "Auto-renewal has been deactivated")
    expect(page.get_by_text("A PMR subscription cannot be resumed.")).to_be_visible()
    expect(button(page, "Resume")).to_have_count(0)


def test_what_a_colleague_did_meanwhile_is_refused_in_the_dialog(page: Page, portal: Portal) -> None:
    order = Order(portal, subscribed("AR", "active"))
    sign_in(page, "anna@demo.example")
    order.open(page)
    button(page, "Cancel").click()
    expect(dialog(page)).to_be_visible()
    portal.execute("UPDATE subscription SET status = 'cancelled' WHERE order_id = %s", order.order_id)
    button(dialog(page), "Cancel subscription").click()
    refused(page, "This subscription is cancelled already.")
    assert order.history() == []
    [[reason]] = portal.execute(
        "SELECT details ->> 'reason' FROM audit_log WHERE order_id = %s AND NOT succeeded", order.order_id
    )
    assert reason == "This subscription is cancelled already."


# Refunds


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
    # The newest request of all is the last one of the open ones.
    [[place]] = portal.execute(
        "SELECT count(*) - 1 FROM refund_request WHERE closed_at IS NULL AND requested_at <= "
        "(SELECT max(requested_at) FROM refund_request WHERE order_id = %s)"
        if not is_closed
        else "SELECT count(*) - 1 FROM refund_request WHERE closed_at >= "
        "(SELECT max(closed_at) FROM refund_request WHERE order_id = %s)",
        order.order_id,
    )
    box = box_of(page.get_by_test_id("stDataFrame").first)
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.mouse.wheel(0, 34 * place)  # the row becomes the topmost one, or the last page is reached
    page.wait_for_timeout(300)
    visible = round((box["height"] - 38) / 34)
    [[number]] = portal.execute(
        f"SELECT count(*) FROM refund_request WHERE closed_at IS {'NOT ' if is_closed else ''}NULL"
    )
    row = place - max(0, min(place, number - visible))
    page.mouse.click(box["x"] + 100, box["y"] + 36 + 34 * row + 17)
    expect(page.locator(".es-order-name")).to_contain_text(order.name, timeout=15_000)
    settle(page)


def box_of(table: Locator) -> dict[str, float]:
    """Where a table stands, once it stands still: it is drawn anew with other rows."""
    seen = None
    for _ in range(50):
        expect(table).to_be_visible()
        table.page.wait_for_timeout(150)
        box = table.bounding_box()
        if box is not None and box == seen:
            return dict(box)  # type: ignore[call-overload, no-any-return]
        seen = box
    raise AssertionError("The table does not stand still.")


def press(page: Page, label: str, *, note: str | None = None, confirm: str | None = None) -> None:
    button(page, label).click()
    if note is not None:
        dialog(page).get_by_label("Note").fill(note)
    button(dialog(page), confirm or label).click()


def test_a_reason_of_501_characters_is_refused_and_kept(page: Page, portal: Portal) -> None:
    order = Order(portal, f"o.status = 'paid' AND {NEVER_REFUNDED}")
    sign_in(page, "anna@demo.example")
    request(page, order, FAMILY * 501)
    refused(page, "The reason may have 500 characters at most; this has 501.")
    expect(dialog(page).get_by_label("Refund reason")).to_have_value(FAMILY * 501)
    dialog(page).get_by_label("Refund reason").fill("")
    button(dialog(page), "Send").click()
    refused(page, "The reason is needed.")
    dialog(page).get_by_label("Refund reason").fill(FAMILY * 500)
    button(dialog(page), "Send").dblclick()
    said(page, f"Refund request has been sent for order {order.name}.")
    expect(page.locator(".es-status")).to_contain_text("Refund request has been sent")
    expect(button(page, "Request refund")).to_have_count(0)
    assert order.history() == [f"Refund request has been sent. Reason: {FAMILY * 500}"]


@pytest.mark.parametrize(
    "condition",
    ["o.status = 'not paid'", "o.status = 'deleted'", "o.status = 'terminated'", "o.status = 'paid' AND o.total = 0",
     "EXISTS (SELECT FROM refund_request r WHERE r.order_id = o.order_id AND r.status IN ('requested', 'updating'))",
     "o.status = 'paid' AND o.refund_status = 'completed'"],
)  # fmt: skip
def test_no_refund_is_offered(condition: str, page: Page, portal: Portal) -> None:
    order = Order(portal, condition)
    sign_in(page, "anna@demo.example")
    order.open(page)
    expect(button(page, "Request refund")).to_have_count(0)


def test_a_refund_from_the_request_to_the_answer(page: Page, portal: Portal, mailbox: MailServer) -> None:
    order = Order(
        portal,
        f"o.status = 'paid' AND {NEVER_REFUNDED} AND {LIVE_CODE} AND o.payment_method = 'WireTransfer'",
    )
    sign_in(page, "anna@demo.example")
    request(page, order, "Bought twice")
    said(page, f"Refund request has been sent for order {order.name}.")
    rita = page.context.browser.new_page(base_url=portal.url, viewport={"width": 1440, "height": 900})  # type: ignore[union-attr]
    try:
        sign_in(rita, "refunds@demo.example")
        choose(rita, portal, order)
        press(rita, "Take")
        said(rita, f"You have taken the refund request for order {order.name}.")
        press(rita, "Release")
        said(rita, f"The refund request for order {order.name} is back in the queue.")
        press(rita, "Take")
        said(rita, f"You have taken the refund request for order {order.name}.")
        button(rita, "Fulfil").click()
        button(dialog(rita), "Fulfil").click()
        refused(rita, "A note is needed.")
        dialog(rita).get_by_label("Note").fill("Paid back by wire.")
        button(dialog(rita), "Fulfil").click()
        said(rita, f"Full refund completed for order {order.name}.")
    finally:
        rita.context.close()
    got = arrived(page, mailbox, about(order, "anna@demo.example"))
    assert got.message["Subject"] == f"[Esupport] Refund request for {order.name} has been completed"
    assert got.text == (
        f"Your refund request for {order.name} has been completed with result: full refund completed"
    )
    order.open(page)
    expect(page.locator(".es-status")).to_contain_text("Deleted")
    expect(page.locator(".es-status")).to_contain_text("Request has been completed")
    expect(page.locator(".es-code del").first).to_be_visible()
    expect(page.get_by_text("Paid back by wire.").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(f"^refund-{order.name}-")).click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    page.get_by_role("link", name="My refund requests").click()
    row = page.locator(".es-table tr").filter(has_text=order.name)
    expect(row).to_contain_text("Request has been completed")
    expect(row).to_contain_text("Full refund")
    row.get_by_role("link").click()
    expect(page.locator(".es-order-name")).to_contain_text(order.name, timeout=15_000)


def test_some_items_keep_the_order_paid(page: Page, portal: Portal, mailbox: MailServer) -> None:
    order = Order(
        portal,
        f"o.status = 'paid' AND {NEVER_REFUNDED} AND "
        "(SELECT count(*) FROM order_item i WHERE i.order_id = o.order_id) = 2",
    )
    sign_in(page, "refunds@demo.example")
    request(page, order, "One of them does not run")
    said(page, "Refund request has been sent")
    choose(page, portal, order)
    press(page, "Take")
    said(page, "You have taken")
    button(page, "Fulfil").click()
    dialog(page).get_by_text(re.compile(r"^2 ")).click()
    dialog(page).get_by_text("Delete their activation codes").click()
    dialog(page).get_by_label("Note").fill("First one only.")
    button(dialog(page), "Fulfil").click()
    said(page, f"Partial refund completed for order {order.name}.")
    got = arrived(page, mailbox, about(order, "refunds@demo.example"))
    assert got.text.endswith("with result: partial refund completed")
    items = portal.execute(
        "SELECT position, refunded FROM order_item WHERE order_id = %s ORDER BY 1", order.order_id
    )
    assert items == [(1, True), (2, False)]
    order.open(page)
    expect(page.locator(".es-status")).to_contain_text("Paid")
    expect(page.locator(".es-item").first).to_contain_text("Refunded")
    expect(button(page, "Request refund")).to_have_count(0)


@pytest.mark.parametrize(
    ("label", "sentence"),
    [
        ("Refuse", "The refund for order {} was refused."),
        ("Mark as failed", "The refund for order {} was marked as failed."),
    ],
)
def test_a_request_that_is_turned_down(
    label: str, sentence: str, page: Page, portal: Portal, mailbox: MailServer
) -> None:
    order = Order(portal, f"o.status = 'paid' AND {NEVER_REFUNDED}")
    sign_in(page, "refunds@demo.example")
    request(page, order, "Changed their mind <b>twice</b>")
    said(page, "Refund request has been sent")
    choose(page, portal, order)
    expect(page.get_by_text("Changed their mind <b>twice</b>").last).to_be_visible()
    press(page, "Take")
    said(page, "You have taken")
    press(page, label, note="Used for a year.")
    said(page, sentence.format(order.name))
    got = arrived(page, mailbox, about(order, "refunds@demo.example"))
    assert got.text == f"Your refund request for {order.name} has been completed with result: refund failed"
    choose(page, portal, order, "Closed")
    expect(page.get_by_text("Used for a year.").first).to_be_visible()
    order.open(page)
    expect(page.locator(".es-status")).to_contain_text("Refusal to refund")
    expect(button(page, "Request refund")).to_be_visible()


def test_the_queue_is_for_refund_operators(page: Page, portal: Portal) -> None:
    sign_in(page, "anna@demo.example")
    expect(page.get_by_role("link", name="My refund requests")).to_be_visible()
    expect(page.get_by_role("link", name="Refund queue")).to_have_count(0)
    page.goto("/refund_queue")
    settle(page)
    expect(page.get_by_role("heading", name="Refund queue")).to_have_count(0)
    expect(page.get_by_test_id("stDataFrame")).to_have_count(0)


# Notes, and who sees no button


def test_a_note_is_marked_as_internal(page: Page, portal: Portal) -> None:
    order = Order(portal, "o.status = 'paid'")
    hostile = "<img src=x onerror=\"document.title='run'\"> **Calls** every day"
    sign_in(page, "anna@demo.example")
    order.open(page)
    button(page, "Add note").click()
    dialog(page).get_by_label("Internal note").fill(hostile)
    button(dialog(page), "Save note").click()
    said(page, f"The note was added to order {order.name}.")
    line = page.locator(".es-history li").filter(has_text=hostile)
    expect(line).to_contain_text("Internal note")
    expect(line).to_contain_text("Anna Andersson")
    assert page.title() != "run"
    [[key]] = portal.execute("SELECT page_key::text FROM orders WHERE order_id = %s", order.order_id)
    page.goto(f"/o/{key}")
    expect(page.get_by_role("heading", name=f"Order {order.name}")).to_be_visible()
    assert "every day" not in page.content()


def test_a_dialog_that_is_closed_does_nothing(page: Page, portal: Portal) -> None:
    order = Order(portal, subscribed("AR", "active"))
    sign_in(page, "anna@demo.example")
    order.open(page)
    button(page, "Cancel").click()
    expect(dialog(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    button(page, "Add note").click()
    expect(dialog(page)).to_contain_text("Internal note")
    assert order.history() == []


def test_analysts_see_no_button(page: Page, portal: Portal) -> None:
    order = Order(portal, f"o.status = 'paid' AND {MAILABLE} AND {LIVE_CODE} AND {NEVER_REFUNDED}")
    sign_in(page, "carla@demo.example")
    order.open(page)
    expect(page.get_by_text("Order History", exact=True)).to_be_visible()
    for label in ("Request refund", "Resend", "Cancel", "Resume", "Correct e-mail", "Add note"):
        expect(button(page, label)).to_have_count(0)
    expect(page.get_by_role("link", name="My refund requests")).to_have_count(0)


# The mail log


def test_an_administrator_reads_a_message_and_sends_it_again(
    page: Page, portal: Portal, mailbox: MailServer
) -> None:
    order = Order(portal, f"o.status = 'paid' AND {MAILABLE} AND {LIVE_CODE}")
    refuse = order.email
    mailbox.on_rcpt = lambda address: "550 5.1.1 No such user" if address == refuse else None
    try:
        sign_in(page, "admin@demo.example")
        order.open(page)
        button(page, "Resend").first.click()
        button(dialog(page), "Resend").click()
        said(page, "is being sent to")
        for _ in range(100):
            if order.history():
                break
            page.wait_for_timeout(100)
        assert order.history() == [
            f"Licence e-mail to {refuse} failed. The mail server answered 550 5.1.1 No such user"
        ]
    finally:
        mailbox.on_rcpt = lambda _: None
    page.get_by_role("link", name="Administration").click()
    expect(page.get_by_role("heading", name="Mail log")).to_be_visible(timeout=15_000)
    page.get_by_role("radio", name="Failed").click()
    settle(page)
    box = box_of(page.get_by_test_id("stDataFrame").first)
    page.mouse.click(box["x"] + 300, box["y"] + 36 + 17)
    expect(page.get_by_text(f"Your licence for order {order.name}").last).to_be_visible(timeout=15_000)
    expect(page.get_by_text("550 5.1.1 No such user").last).to_be_visible()
    button(page, "Send again").click()
    button(dialog(page), "Send again").click()
    said(page, "The message is in the queue again.")
    arrived(page, mailbox, about(order, refuse))
