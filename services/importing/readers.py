"""Read an order document object by object: the order, its customer, items, history and files.

Each reader takes the object as JSON gave it and the list to which it adds the paths of unknown keys, and removes from
the object what is unknown or erased. Raises `WrongField`.
"""

from decimal import Decimal
from typing import Final

from db.schema.statuses import DocumentKind, HistoryKind, MainStatus, Relation, SubscriptionStatus
from services.importing import fields, files
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
from services.importing.objects import drop_unknown, list_of_objects, require_object
from services.importing.refusals import JsonObject, WrongField, quote, refuse

_ORDER_STATUS: Final = {member.value: member for member in MainStatus}
_CUSTOMER_TYPE: Final = {member.value: member for member in CustomerType}
_DELIVERY: Final = {member.value: member for member in Delivery}
_SUBSCRIPTION_STATUS: Final = {member.value: member for member in SubscriptionStatus}
_RELATION: Final = {member.value: member for member in Relation}
_HISTORY_KIND: Final = {member.value: member for member in HistoryKind if member is not HistoryKind.NOTE}
_DOCUMENT_KIND: Final = {member.value: member for member in DocumentKind}

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


def read_order(source: JsonObject, unknown: list[str]) -> OrderDocument:
    drop_unknown(source, _ORDER_KEYS, "", unknown)
    order_id = fields.whole_number(source, "order_id", "", fields.MAX_ID)
    status = fields.required_choice(source, "status", "", _ORDER_STATUS)
    pay_date = fields.time(source, "pay_date", "")
    if pay_date is None and status is MainStatus.PAID:
        raise WrongField("pay_date", "The order is paid, so the time of its payment is needed.")
    payment = require_object({} if source.get("payment") is None else source["payment"], "payment")
    customer = _customer(require_object(source.get("customer"), "customer"), payment, unknown)
    items = _items(source, unknown)
    # Without an item below zero there is nothing that could be given back.
    total = fields.amount(source, "total", "", below_zero=any(item.amount < 0 for item in items))
    if total is None:
        total = sum((item.amount for item in items), Decimal(0))
        if abs(total) >= 10**12:
            raise WrongField("total", "The amounts of the items add up to more than can be stored.")
    return OrderDocument(
        order_id,
        fields.required_text(source, "order_name", "", fields.SHORT),
        fields.text(source, "order_id_1c", "", fields.SHORT),
        fields.required_text(source, "checkout_page", "", fields.SHORT),
        status,
        fields.required_time(source, "create_date", ""),
        pay_date,
        fields.currency(source, "currency", ""),
        total,
        fields.text(source, "locale", "", fields.SHORT),
        fields.url(source, "order_detail_url", ""),
        fields.time(source, "updated_at", ""),
        customer,
        _payment(payment, unknown),
        items,
        _name_values(source, "additional_data", "", unknown),
        _related_orders(source, order_id, unknown),
        _history(source, unknown),
        _documents(source, unknown),
    )


def _customer(source: JsonObject, payment: JsonObject, unknown: list[str]) -> CustomerData:
    drop_unknown(source, _CUSTOMER_KEYS, "customer.", unknown)
    erased = fields.flag(source, "erased", "customer.")
    if erased:
        for key in _CUSTOMER_KEYS - _NOT_PERSONAL:
            source.pop(key, None)
        for key in _PERSONAL_PAYMENT:
            payment.pop(key, None)
    return CustomerData(
        fields.choice(source, "type", "customer.", _CUSTOMER_TYPE),
        fields.text(source, "country", "customer.", fields.SHORT),
        fields.email(source, "email", "customer."),
        fields.text(source, "first_name", "customer.", fields.NAME),
        fields.text(source, "last_name", "customer.", fields.NAME),
        fields.text(source, "phone", "customer.", fields.SHORT),
        fields.text(source, "vat_number", "customer.", fields.SHORT),
        fields.text(source, "company_name", "customer.", fields.COMPANY),
        fields.text(source, "company_billing_address", "customer.", fields.ADDRESS),
        fields.text(source, "company_delivery_address", "customer.", fields.ADDRESS),
        erased,
    )


def _payment(source: JsonObject, unknown: list[str]) -> PaymentData:
    drop_unknown(source, _PAYMENT_KEYS, "payment.", unknown)
    return PaymentData(
        fields.text(source, "payment_method", "payment.", fields.NAME),
        fields.text(source, "payment_system_name", "payment.", fields.NAME),
        fields.text(source, "card_type", "payment.", fields.NAME),
        fields.last_4(source, "card_last_4", "payment."),
        fields.text(source, "card_expiration_date", "payment.", fields.SHORT),
        fields.text(source, "provider", "payment.", fields.SHORT),
        fields.text(source, "reference", "payment.", fields.PAYMENT_REFERENCE),
    )


def _items(source: JsonObject, unknown: list[str]) -> tuple[ItemData, ...]:
    entries = list_of_objects(source, "items", "")
    if not entries:
        raise WrongField("items", "The order has no items; at least one is expected.")
    items = tuple(_item(entry, index, unknown) for index, entry in enumerate(entries))
    own_ids = [item.item_id for item in items if item.has_own_id]
    if len(set(own_ids)) < len(own_ids):
        seen: set[str] = set()
        for index, item in enumerate(items):
            if item.has_own_id and item.item_id in seen:
                raise WrongField(
                    f"items[{index}].item_id",
                    f"The id {quote(item.item_id)} belongs to an earlier item already.",
                )
            if item.has_own_id:
                seen.add(item.item_id)
    return items


def _item(source: JsonObject, index: int, unknown: list[str]) -> ItemData:
    where = f"items[{index}]."
    drop_unknown(source, _ITEM_KEYS, where, unknown)
    item_id = fields.identifier(source, "item_id", where)
    amount = fields.required_amount(source, "amount", where, below_zero=True)
    # A discount or a return: what belongs to it may be below zero as well.
    is_below = amount < 0
    return ItemData(
        item_id or str(index + 1),
        item_id is not None,
        fields.identifier(source, "product_id", where),
        fields.identifier(source, "sku", where),
        fields.required_text(source, "name", where, fields.PRODUCT_NAME),
        fields.required_amount(source, "price", where, below_zero=is_below),
        fields.whole_number(source, "quantity", where, fields.MAX_QUANTITY),
        fields.percent(source, "discount_percent", where),
        fields.amount(source, "discount_amount", where, below_zero=is_below),
        fields.amount(source, "vat_amount", where, below_zero=is_below),
        amount,
        fields.choice(source, "delivery", where, _DELIVERY),
        fields.flag(source, "delivered", where),
        fields.flag(source, "refunded", where),
        _license_user(source, where, unknown),
        _activation_codes(source, where, unknown),
        _name_values(source, "additional_fields", where, unknown),
        _subscription(source, where, unknown),
    )


def _license_user(source: JsonObject, where: str, unknown: list[str]) -> LicenseUserData | None:
    if source.get("license_user") is None:
        return None
    user = require_object(source["license_user"], where + "license_user")
    where += "license_user."
    drop_unknown(user, _LICENSE_USER_KEYS, where, unknown)
    if fields.flag(user, "erased", where):
        for key in _LICENSE_USER_KEYS - _NOT_PERSONAL:
            user.pop(key, None)
        return LicenseUserData(erased=True)
    return LicenseUserData(
        fields.text(user, "first_name", where, fields.NAME),
        fields.text(user, "last_name", where, fields.NAME),
        fields.email(user, "email", where),
    )


def _activation_codes(source: JsonObject, where: str, unknown: list[str]) -> tuple[ActivationCodeData, ...]:
    codes = []
    for index, entry in enumerate(list_of_objects(source, "activation_codes", where)):
        path = f"{where}activation_codes[{index}]."
        drop_unknown(entry, _CODE_KEYS, path, unknown)
        codes.append(
            ActivationCodeData(
                fields.required_text(entry, "code", path, fields.CODE), fields.flag(entry, "deleted", path)
            )
        )
    return tuple(codes)


def _name_values(source: JsonObject, key: str, where: str, unknown: list[str]) -> tuple[NameValue, ...]:
    pairs = []
    for index, entry in enumerate(list_of_objects(source, key, where)):
        path = f"{where}{key}[{index}]."
        drop_unknown(entry, _NAME_VALUE_KEYS, path, unknown)
        # A field that the customer left empty still was asked for, so an empty value is one.
        value = fields.text(entry, "value", path, fields.TEXT)
        pairs.append(NameValue(fields.required_text(entry, "name", path, fields.NAME), value or ""))
    return tuple(pairs)


def _subscription(source: JsonObject, where: str, unknown: list[str]) -> SubscriptionData | None:
    if source.get("subscription") is None:
        return None
    subscription = require_object(source["subscription"], where + "subscription")
    where += "subscription."
    drop_unknown(subscription, _SUBSCRIPTION_KEYS, where, unknown)
    subscription_id = fields.identifier(subscription, "id", where)
    if subscription_id is None:
        refuse(where, "id", "the id of the subscription", None)
    has_parent = subscription.get("parent_order_id") is not None
    return SubscriptionData(
        subscription_id,
        fields.required_text(subscription, "type", where, fields.SHORT),
        fields.required_choice(subscription, "status", where, _SUBSCRIPTION_STATUS),
        fields.whole_number(subscription, "parent_order_id", where, fields.MAX_ID) if has_parent else None,
        fields.period(subscription, "period", where),
        fields.time_or_never(subscription, "next_renewal_date", where),
    )


def _related_orders(source: JsonObject, order_id: int, unknown: list[str]) -> tuple[RelatedOrder, ...]:
    """Each relation once: saying it twice says nothing more."""
    related = []
    for index, entry in enumerate(list_of_objects(source, "related_orders", "")):
        where = f"related_orders[{index}]."
        drop_unknown(entry, _RELATED_KEYS, where, unknown)
        other = fields.whole_number(entry, "order_id", where, fields.MAX_ID)
        if other == order_id:
            raise WrongField(where + "order_id", "An order cannot be related to itself.")
        related.append(RelatedOrder(other, fields.required_choice(entry, "relation", where, _RELATION)))
    return tuple(dict.fromkeys(related)) if len(related) > 1 else tuple(related)


def _history(source: JsonObject, unknown: list[str]) -> tuple[HistoryEvent, ...]:
    events = []
    for index, entry in enumerate(list_of_objects(source, "history", "")):
        where = f"history[{index}]."
        drop_unknown(entry, _HISTORY_KEYS, where, unknown)
        events.append(
            HistoryEvent(
                fields.required_time(entry, "date", where),
                fields.required_choice(entry, "kind", where, _HISTORY_KIND),
                fields.required_text(entry, "text", where, fields.TEXT),
            )
        )
    return tuple(events)


def _documents(source: JsonObject, unknown: list[str]) -> tuple[DocumentData, ...]:
    documents = []
    for index, entry in enumerate(list_of_objects(source, "documents", "")):
        where = f"documents[{index}]."
        drop_unknown(entry, _DOCUMENT_KEYS, where, unknown)
        documents.append(
            DocumentData(
                fields.required_text(entry, "name", where, fields.FILE_NAME),
                fields.required_choice(entry, "kind", where, _DOCUMENT_KIND),
                files.media_type(entry, "media_type", where),
                files.content(entry, "content_base64", where),
            )
        )
    return tuple(documents)
