"""Reads an order document group by group: the order, its customer, items, history and files.

Each reader takes the group as JSON gave it and the list to which it adds the paths of unknown keys, and removes from
the group what is unknown or erased. Raises `WrongField`.
"""

from decimal import Decimal
from typing import Final

from db.schema.statuses import DocumentKind, HistoryKind, MainStatus, Relation, SubscriptionStatus
from services.importing import fields as f
from services.importing import groups as g
from services.importing.fields import Fields, WrongField
from services.importing.models import (
    ActivationCodeData,
    CustomerData,
    CustomerType,
    Delivery,
    DocumentData,
    HistoryEvent,
    ItemData,
    LicenseUserData,
    NameValue,
    OrderDocument,
    PaymentData,
    RelatedOrder,
    SubscriptionData,
)

_ORDER_STATUS: Final = {w.value: w for w in MainStatus}
_CUSTOMER_TYPE: Final = {w.value: w for w in CustomerType}
_DELIVERY: Final = {w.value: w for w in Delivery}
_SUBSCRIPTION_STATUS: Final = {w.value: w for w in SubscriptionStatus}
_RELATION: Final = {w.value: w for w in Relation}
_HISTORY_KIND: Final = {w.value: w for w in HistoryKind if w is not HistoryKind.NOTE}
_DOCUMENT_KIND: Final = {w.value: w for w in DocumentKind}

_ORDER_KEYS: Final = frozenset(OrderDocument.__slots__)
_CUSTOMER_KEYS: Final = frozenset(CustomerData.__slots__)
_PAYMENT_KEYS: Final = frozenset(PaymentData.__slots__)
_ITEM_KEYS: Final = frozenset(ItemData.__slots__) - {"has_own_id"}
_LICENSE_USER_KEYS: Final = frozenset(LicenseUserData.__slots__)
_CODE_KEYS: Final = frozenset(ActivationCodeData.__slots__)
_NAME_VALUE_KEYS: Final = frozenset(NameValue.__slots__)
_SUBSCRIPTION_KEYS: Final = frozenset(SubscriptionData.__slots__)
_RELATED_KEYS: Final = frozenset(RelatedOrder.__slots__)
_HISTORY_KEYS: Final = frozenset(HistoryEvent.__slots__)
_DOCUMENT_KEYS: Final = frozenset({"name", "kind", "content_base64", "media_type"})

_NOT_PERSONAL: Final = frozenset({"type", "country", "erased"})
_PERSONAL_PAYMENT: Final = ("card_last_4", "card_expiration_date")


def read_order(fields: Fields, unknown: list[str]) -> OrderDocument:
    g.keep_known(fields, _ORDER_KEYS, "", unknown)
    order_id = f.whole_number(fields, "order_id", "", f.MAX_ID)
    status = f.required_word(fields, "status", "", _ORDER_STATUS)
    pay_date = f.time(fields, "pay_date", "")
    if pay_date is None and status is MainStatus.PAID:
        raise WrongField("pay_date", "The order is paid, so the time of its payment is needed.")
    payment = g.group({} if fields.get("payment") is None else fields["payment"], "payment")
    customer = _customer(g.group(fields.get("customer"), "customer"), payment, unknown)
    items = _items(fields, unknown)
    # Without a line below zero there is nothing that could be given back.
    total = f.amount(fields, "total", "", below_zero=any(item.amount < 0 for item in items))
    if total is None:
        total = sum((item.amount for item in items), Decimal(0))
        if abs(total) >= 10**12:
            raise WrongField("total", "The amounts of the items add up to more than can be stored.")
    return OrderDocument(
        order_id,
        f.required_text(fields, "order_name", "", f.SHORT),
        f.text(fields, "order_id_1c", "", f.SHORT),
        f.required_text(fields, "checkout_page", "", f.SHORT),
        status,
        f.required_time(fields, "create_date", ""),
        pay_date,
        f.currency(fields, "currency", ""),
        total,
        f.text(fields, "locale", "", f.SHORT),
        f.url(fields, "order_detail_url", ""),
        f.time(fields, "updated_at", ""),
        customer,
        _payment(payment, unknown),
        items,
        _name_values(fields, "additional_data", "", unknown),
        _related_orders(fields, order_id, unknown),
        _history(fields, unknown),
        _documents(fields, unknown),
    )


def _customer(fields: Fields, payment: Fields, unknown: list[str]) -> CustomerData:
    g.keep_known(fields, _CUSTOMER_KEYS, "customer.", unknown)
    erased = f.flag(fields, "erased", "customer.")
    if erased:
        for key in _CUSTOMER_KEYS - _NOT_PERSONAL:
            fields.pop(key, None)
        for key in _PERSONAL_PAYMENT:
            payment.pop(key, None)
    return CustomerData(
        f.word(fields, "type", "customer.", _CUSTOMER_TYPE),
        f.text(fields, "country", "customer.", f.SHORT),
        f.email(fields, "email", "customer."),
        f.text(fields, "first_name", "customer.", f.NAME),
        f.text(fields, "last_name", "customer.", f.NAME),
        f.text(fields, "phone", "customer.", f.SHORT),
        f.text(fields, "vat_number", "customer.", f.SHORT),
        f.text(fields, "company_name", "customer.", f.COMPANY),
        f.text(fields, "company_billing_address", "customer.", f.ADDRESS),
        f.text(fields, "company_delivery_address", "customer.", f.ADDRESS),
        erased,
    )


def _payment(fields: Fields, unknown: list[str]) -> PaymentData:
    g.keep_known(fields, _PAYMENT_KEYS, "payment.", unknown)
    return PaymentData(
        f.text(fields, "payment_method", "payment.", f.NAME),
        f.text(fields, "payment_system_name", "payment.", f.NAME),
        f.text(fields, "card_type", "payment.", f.NAME),
        f.last_4(fields, "card_last_4", "payment."),
        f.text(fields, "card_expiration_date", "payment.", f.SHORT),
    )


def _items(fields: Fields, unknown: list[str]) -> tuple[ItemData, ...]:
    entries = g.groups(fields, "items", "")
    if not entries:
        raise WrongField("items", "The order has no items; at least one is expected.")
    items = tuple(_item(entry, position, unknown) for position, entry in enumerate(entries))
    given = [item.item_id for item in items if item.has_own_id]
    if len(set(given)) < len(given):
        seen: set[str] = set()
        for position, item in enumerate(items):
            if item.has_own_id and item.item_id in seen:
                raise WrongField(
                    f"items[{position}].item_id",
                    f"The id {f.quote(item.item_id)} belongs to an earlier item already.",
                )
            if item.has_own_id:
                seen.add(item.item_id)
    return items


def _item(fields: Fields, position: int, unknown: list[str]) -> ItemData:
    where = f"items[{position}]."
    g.keep_known(fields, _ITEM_KEYS, where, unknown)
    item_id = f.identifier(fields, "item_id", where)
    amount = f.required_amount(fields, "amount", where, below_zero=True)
    # A discount or a return: what belongs to it may be below zero as well.
    is_below = amount < 0
    return ItemData(
        item_id or str(position + 1),
        item_id is not None,
        f.identifier(fields, "product_id", where),
        f.identifier(fields, "sku", where),
        f.required_text(fields, "name", where, f.PRODUCT_NAME),
        f.required_amount(fields, "price", where, below_zero=is_below),
        f.whole_number(fields, "quantity", where, f.MAX_QUANTITY),
        f.percent(fields, "discount_percent", where),
        f.amount(fields, "discount_amount", where, below_zero=is_below),
        f.amount(fields, "vat_amount", where, below_zero=is_below),
        amount,
        f.word(fields, "delivery", where, _DELIVERY),
        f.flag(fields, "delivered", where),
        f.flag(fields, "refunded", where),
        _license_user(fields, where, unknown),
        _activation_codes(fields, where, unknown),
        _name_values(fields, "additional_fields", where, unknown),
        _subscription(fields, where, unknown),
    )


def _license_user(fields: Fields, where: str, unknown: list[str]) -> LicenseUserData | None:
    user = fields.get("license_user")
    if user is None:
        return None
    g.group(user, where + "license_user")
    where += "license_user."
    g.keep_known(user, _LICENSE_USER_KEYS, where, unknown)
    if f.flag(user, "erased", where):
        for key in _LICENSE_USER_KEYS - _NOT_PERSONAL:
            user.pop(key, None)
        return LicenseUserData(erased=True)
    return LicenseUserData(
        f.text(user, "first_name", where, f.NAME),
        f.text(user, "last_name", where, f.NAME),
        f.email(user, "email", where),
    )


def _activation_codes(fields: Fields, where: str, unknown: list[str]) -> tuple[ActivationCodeData, ...]:
    codes = []
    for position, entry in enumerate(g.groups(fields, "activation_codes", where)):
        path = f"{where}activation_codes[{position}]."
        g.keep_known(entry, _CODE_KEYS, path, unknown)
        codes.append(
            ActivationCodeData(f.required_text(entry, "code", path, f.CODE), f.flag(entry, "deleted", path))
        )
    return tuple(codes)


def _name_values(fields: Fields, key: str, where: str, unknown: list[str]) -> tuple[NameValue, ...]:
    pairs = []
    for position, entry in enumerate(g.groups(fields, key, where)):
        path = f"{where}{key}[{position}]."
        g.keep_known(entry, _NAME_VALUE_KEYS, path, unknown)
        # A field that the customer left empty still was asked for, so an empty value is one.
        value = f.text(entry, "value", path, f.TEXT)
        pairs.append(NameValue(f.required_text(entry, "name", path, f.NAME), value or ""))
    return tuple(pairs)


def _subscription(fields: Fields, where: str, unknown: list[str]) -> SubscriptionData | None:
    group = fields.get("subscription")
    if group is None:
        return None
    g.group(group, where + "subscription")
    where += "subscription."
    g.keep_known(group, _SUBSCRIPTION_KEYS, where, unknown)
    subscription_id = f.identifier(group, "id", where)
    if subscription_id is None:
        f.wrong(where, "id", "the id of the subscription", None)
    parent = group.get("parent_order_id")
    return SubscriptionData(
        subscription_id,
        f.required_text(group, "type", where, f.SHORT),
        f.required_word(group, "status", where, _SUBSCRIPTION_STATUS),
        None if parent is None else f.whole_number(group, "parent_order_id", where, f.MAX_ID),
        f.period(group, "period", where),
        f.time_or_never(group, "next_renewal_date", where),
    )


def _related_orders(fields: Fields, order_id: int, unknown: list[str]) -> tuple[RelatedOrder, ...]:
    """Each relation once: saying it twice says nothing more."""
    related = []
    for position, entry in enumerate(g.groups(fields, "related_orders", "")):
        where = f"related_orders[{position}]."
        g.keep_known(entry, _RELATED_KEYS, where, unknown)
        other = f.whole_number(entry, "order_id", where, f.MAX_ID)
        if other == order_id:
            raise WrongField(where + "order_id", "An order cannot be related to itself.")
        related.append(RelatedOrder(other, f.required_word(entry, "relation", where, _RELATION)))
    return tuple(dict.fromkeys(related)) if len(related) > 1 else tuple(related)


def _history(fields: Fields, unknown: list[str]) -> tuple[HistoryEvent, ...]:
    events = []
    for position, entry in enumerate(g.groups(fields, "history", "")):
        where = f"history[{position}]."
        g.keep_known(entry, _HISTORY_KEYS, where, unknown)
        events.append(
            HistoryEvent(
                f.required_time(entry, "date", where),
                f.required_word(entry, "kind", where, _HISTORY_KIND),
                f.required_text(entry, "text", where, f.TEXT),
            )
        )
    return tuple(events)


def _documents(fields: Fields, unknown: list[str]) -> tuple[DocumentData, ...]:
    documents = []
    for position, entry in enumerate(g.groups(fields, "documents", "")):
        where = f"documents[{position}]."
        g.keep_known(entry, _DOCUMENT_KEYS, where, unknown)
        documents.append(
            DocumentData(
                f.required_text(entry, "name", where, f.FILE_NAME),
                f.required_word(entry, "kind", where, _DOCUMENT_KIND),
                f.media_type(entry, "media_type", where),
                f.content(entry, "content_base64", where),
            )
        )
    return tuple(documents)
