"""The people of demo orders: the customer, their payment and the licence's user."""

from services.demo.draft import Document, OrderDraft
from services.demo.vocabulary import PAYMENTS


def make_customer(draft: OrderDraft) -> Document:
    country = draft.country
    customer: Document = {
        "type": "physical",
        "country": country.code,
        "email": f"customer{draft.rng.randint(1, max(draft.count // 2, 2))}@{country.code.lower()}.example",
        "first_name": draft.rng.choice(country.first_names),
        "last_name": draft.rng.choice(country.last_names),
        "phone": draft.digits(country.phone),
    }
    if draft.scenario in ("company", "many-codes") or draft.rng.random() < 0.15:
        customer |= {
            "type": "legal",
            "vat_number": draft.digits(country.vat),
            "company_name": draft.rng.choice(country.companies),
            "company_billing_address": country.address,
            "company_delivery_address": country.address,
        }
    if draft.scenario == "no-email":
        del customer["email"]
    if draft.scenario == "nameless":
        del customer["first_name"], customer["last_name"]
    return customer


def make_payment(draft: OrderDraft) -> Document:
    # The notes of these refunds say that the money went back to the card.
    by_card = ("plain", "refund-partial", "refund-full")
    method, system, is_card = PAYMENTS[0] if draft.scenario in by_card else draft.rng.choice(PAYMENTS)
    card = {
        "card_type": draft.rng.choice(["Visa", "Mastercard"]),
        "card_last_4": f"{draft.rng.randint(0, 9999):04}",
        "card_expiration_date": f"{draft.rng.randint(1, 12):02}/{draft.end.year + draft.rng.randint(0, 4)}",
    }
    return {"payment_method": method, "payment_system_name": system} | (
        card if is_card and draft.scenario != "erased" else {}
    )


def make_license_user(draft: OrderDraft, customer: Document) -> Document:
    if draft.scenario in ("user-erased", "erased"):
        return {"erased": True}
    if draft.scenario in ("company", "many-codes"):
        return {
            "first_name": draft.rng.choice(draft.country.first_names),
            "last_name": draft.rng.choice(draft.country.last_names),
            "email": f"user{draft.rng.randint(1, 999)}@office.example",
        }
    return {key: customer[key] for key in ("first_name", "last_name", "email") if key in customer}
