"""The items of demo orders, with their activation codes."""

from decimal import Decimal

from services.demo.customers import make_license_user
from services.demo.draft import Document, OrderDraft
from services.demo.renewals import make_subscription
from services.demo.scenarios import UNDELIVERED
from services.demo.vocabulary import PRODUCTS, RATES
from services.money import minor_units


def make_items(draft: OrderDraft, customer: Document) -> list[Document]:
    several = {"several": 4, "company": 2, "partly": 2, "refund-partial": 3, "many-codes": 2}
    number = several.get(draft.scenario, 1)
    return [
        _item(draft, position, product, customer)
        for position, product in enumerate(draft.rng.sample(PRODUCTS, number), 1)
    ]


def _item(draft: OrderDraft, position: int, product: tuple[str, str, str], customer: Document) -> Document:
    name, sku, base = product
    unit = Decimal(1).scaleb(-minor_units(draft.country.currency))
    price = (Decimal(base) * Decimal(RATES[draft.country.currency])).quantize(unit)
    if draft.scenario == "free":
        price = Decimal(0).quantize(unit)
    quantity = 5 if draft.scenario == "many-codes" and position == 1 else 1
    percent = Decimal(20 if draft.scenario in ("several", "company") and position == 1 else 0)
    discount = (price * quantity * percent / 100).quantize(unit)
    amount = price * quantity - discount
    item: Document = {
        "item_id": str(position),
        "product_id": str(1000 + len(sku) * 7 + position),
        "sku": sku,
        "name": name,
        "price": str(price),
        "quantity": quantity,
        "amount": str(amount),
        "vat_amount": str((amount / 6).quantize(unit)),
        "delivery": "physical" if draft.scenario == "physical" else "electronic",
        "delivered": draft.scenario not in UNDELIVERED and not (draft.scenario == "partly" and position == 2),
        "refunded": draft.scenario == "refund-full" or (draft.scenario == "refund-partial" and position == 1),
    }
    if percent:
        item |= {"discount_percent": str(percent), "discount_amount": str(discount)}
    is_saved = draft.is_paid and draft.scenario not in ("not-delivered", "no-codes", "physical")
    if is_saved and not (draft.scenario == "partly" and position == 2):
        item["activation_codes"] = _codes(draft, quantity, item["refunded"])
        item["license_user"] = make_license_user(draft, customer)
    if draft.scenario in ("several", "company"):
        item["additional_fields"] = [{"name": "Computer name", "value": f"PC-{draft.rng.randint(10, 99)}"}]
    if (subscription := make_subscription(draft)) and position == 1:
        item["subscription"] = subscription
    return item


def _codes(draft: OrderDraft, number: int, refunded: bool) -> list[Document]:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return [
        {
            "code": "-".join("".join(draft.rng.choices(letters, k=4)) for _ in range(4)),
            # After a refund, and now and then because a code was exchanged for another one.
            "deleted": refunded or (draft.scenario == "many-codes" and number == 1),
        }
        for number in range(number)
    ]
