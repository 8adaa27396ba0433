"""The subscriptions of demo orders and their relations to other orders, with the history lines of both."""

from datetime import timedelta

from services.demo.draft import Document, OrderDraft
from services.demo.scenarios import STORES


def make_subscription(draft: OrderDraft) -> Document | None:
    scenario = draft.scenario
    if not scenario.startswith(("ar-", "pmr-", "other-", "unpaid-parent")):
        return None
    kind = {"pmr": "PMR", "other": "MANUAL"}.get(scenario.split("-")[0], "AR")
    parent = draft.parent()
    status = "active"
    if scenario.endswith("cancelled"):
        status = "cancelled"
    elif not draft.is_paid or (scenario == "ar-unpaid-parent" and draft.child() is not None):
        status = "not paid"
    child = draft.child()
    first = draft.index if parent is None else parent
    last = draft.index if child is None else child
    at = draft.paid if draft.is_paid else draft.created
    if parent is not None:
        draft.add_line(
            at, "subscription", f"Renewal of the subscription. Parent order {draft.order_name(parent)}"
        )
    elif draft.is_paid and kind != "MANUAL":
        draft.add_line(at, "subscription", f"Subscription has been activated ({kind})")
    if child is not None:
        text = f"The renewal order {draft.order_name(child)} has been created"
        draft.add_line(draft.created_of(child), "subscription", text)
    if status == "cancelled":
        draft.add_line(at + timedelta(days=3), "subscription", "Auto-renewal has been deactivated")
    return {
        "id": f"SUB-{draft.order_id(first)}",
        "type": kind,
        "status": status,
        "parent_order_id": None if parent is None else draft.order_id(parent),
        "period": "P2Y",
        # Longer than the demo lasts, so that no renewal is missing.
        "next_renewal_date": (draft.created_of(last) + timedelta(days=730)).isoformat(),
    }


def make_relations(draft: OrderDraft) -> list[Document]:
    others = [(draft.parent(), "parent"), (draft.child(), "child")]
    if draft.scenario == "typo-first" and draft.index + len(STORES) < draft.count:
        others.append((draft.index + len(STORES), "typo"))
    if draft.scenario == "typo-second":
        others.append((draft.index - len(STORES), "typo"))
    for other, relation in others:
        if other is not None and relation == "typo":
            text = f"Bought together from the thank-you page: {draft.order_name(other)}"
            draft.add_line(max(draft.created, draft.created_of(other)), "relation", text)
    return [
        {"order_id": draft.order_id(other), "relation": relation}
        for other, relation in others
        if other is not None
    ]
