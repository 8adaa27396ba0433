"""Bodies of messages with their personal values masked: field names stay, and so do values that name nobody."""

import json
from typing import Final

MASK: Final = "•••"
# Everything else is masked: a shop may send fields that nobody here has heard of.
_SHOWN: Final = frozenset(
    (
        *(
            "type",
            "event",
            "event_date",
            "timestamp",
            "order_id",
            "order_name",
            "order_id_1c",
            "checkout_page",
        ),
        *("store", "status", "create_date", "pay_date", "created_at", "updated_at", "date", "at", "currency"),
        *(
            "total",
            "amount",
            "price",
            "quantity",
            "discount_percent",
            "discount_amount",
            "vat_amount",
            "margin",
        ),
        *(
            "item_id",
            "position",
            "sku",
            "product_id",
            "vendor_code",
            "delivery",
            "business_segment",
            "period",
        ),
        *("next_renewal_at", "parent_order_id", "relation", "kind", "locale", "country", "payment_method"),
        *(
            "payment_system_name",
            "card_type",
            "provider",
            "action_id",
            "external_id",
            "result",
            "document_part",
        ),
        *("media_type", "object", "livemode", "created", "api_version"),
    )
)
# Below these, `name` and `id` are a product's or a subscription's, and not a person's.
_THINGS: Final = ("items", "product", "subscription")
_TOP: Final = "message"
_LONGEST_LINES: Final = 2000


def masked_body(body: bytes) -> str | None:
    """The body as indented JSON with its personal values masked; None for one that is not JSON.

    A very long one ends with a line that says how many lines were left out.
    """
    try:
        fields = json.loads(body.decode())
        text = json.dumps(_masked(fields, None, inside=_TOP), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return None
    lines = text.split("\n")
    if len(lines) > _LONGEST_LINES:
        lines[_LONGEST_LINES:] = [f"… {len(lines) - _LONGEST_LINES:,} more lines"]
    return "\n".join(lines)


def _masked(value: object, name: str | None, *, inside: str) -> object:
    if isinstance(value, dict):
        return {key: _masked(part, key, inside=_inside(key, part, inside)) for key, part in value.items()}
    if isinstance(value, list):
        return [_masked(part, name, inside=inside) for part in value]
    if value is None or isinstance(value, bool) or value == "":
        return value
    is_shown = (
        name in _SHOWN or (inside in _THINGS and name in ("name", "id")) or (inside == _TOP and name == "id")
    )
    return value if is_shown else MASK


def _inside(key: str, part: object, inside: str) -> str:
    return key if isinstance(part, (dict, list)) else inside
