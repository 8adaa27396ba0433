"""The words that mean something to the box: labels, statuses, and words that only connect others.

Phrases are tuples of tokens' keys; the longest that matches counts.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from db.schema.statuses import DeliveryStatus, MainStatus, RefundStatus, SubscriptionFilter
from services.orders.filters import TEXT_FIELDS
from services.recognition.tokens import Token
from services.recognition.words import words_of
from services.text.keys import search_key

T = TypeVar("T")
Phrase = tuple[str, ...]


def _phrase(text: str) -> Phrase:
    return tuple((search_key(text) or "").split())


def _phrases(table: Mapping[T, str], own: Iterable[tuple[str, T]] = ()) -> dict[Phrase, T]:
    """The meaning by phrase: those of the table, separated by bars, and the words of the page itself."""
    phrases = {_phrase(text): meaning for meaning, texts in table.items() for text in texts.split("|")}
    return phrases | {_phrase(text): meaning for text, meaning in own}


def longest_phrase(phrases: Mapping[Phrase, T], tokens: list[Token], start: int) -> tuple[int, T] | None:
    """The longest phrase that begins at this token: its length and its meaning."""
    most = min(_LONGEST_PHRASE, len(tokens) - start)
    keys = tuple(token.key.rstrip(".") for token in tokens[start : start + most])
    for length in range(most, 0, -1):
        # A label never runs over a comma, and a quoted word is a value.
        if (meaning := phrases.get(keys[:length])) is not None and not any(
            token.breaks or token.colon for token in tokens[start : start + length - 1]
        ):
            return length, meaning
    return None


# What is recognised with its label as a whole (`services.recognition.amounts`): a total needs its currency.
_WITH_OTHERS: Final = frozenset({"total_from", "total_to", "country"})
# Labels of fields. `name` may hold both names.
NAME: Final = "name"
STORE: Final = "stores"
LABELS: Final[dict[Phrase, str]] = _phrases(
    {
        "order_ids": "#|order|orders|order no|order nr|order number|order numbers|order id|order ids|order name|id|ids"
        "|no|nr|№|number|bestellung|bestellnummer|auftrag|commande|pedido|ordine|заказ|заказ №|номер заказа|invoice"
        "|reference|ref|注文番号|订单号|1c|1c number",
        "email": "email|e-mail|mail|mail address|email address|e-mail address|почта|correo|メール",
        "phone": "phone|phone no|telephone|tel|telefon|teléfono|téléphone|mobile|cell|fax|whatsapp|телефон|тел|電話"
        "|电话|phone number is",
        "activation_code": "key|code|licence|license|licence key|license key|activation|activation key|serial"
        "|serial number|product key|part of key|part of code|schlüssel|ключ|код",
        "card_last_4": "card|card number|card no|card ending|card ending in|card ending with|card ends|card ends in"
        "|card ends with|ends|ends in|ends with|ending|ending in|ending with|last four|last 4|last four digits"
        "|last 4 digits|last 4 digits of card|visa|mastercard|amex|maestro|credit card|debit card|karte|carte|tarjeta"
        "|carta|карта|visa ending in|mastercard ending in|visa ending|mastercard ending|card last 4|last digits",
        "vat_number": "vat|vat no|vat nr|vat id|vat-id|vatin|tax id|tax number|ust-id|ustid|ust-idnr|inn|инн|nif|cif"
        "|tva|n° tva|btw|p.iva|partita iva",
        "company": "company|company name|firm|firma|organisation|organization|business|empresa|société|фирма|компания"
        "|会社",
        "product": "product|item|sku|product or sku|product name|produkt|produit|producto|продукт|товар|article"
        "|artikel",
        "payment_method": "payment method|method|payment system|paid by|paid via|paid with|pays with"
        "|via|payment by|zahlungsart",
        "refund_reason": "reason for refund|refund reason|reason",
        "first_name": "first|given name|forename|vorname|prénom|nombre|имя|名",
        "last_name": "last|surname|family name|nachname|nom|apellido|фамилия|姓",
        NAME: "name|named|called|full name|customer name|名前|姓名",
        STORE: "store|shop|checkout page|stores|checkout|магазин",
    },
    [
        (label, name)
        for name, kind in TEXT_FIELDS.items()
        for label in (kind.label, kind.short)
        if label and name not in _WITH_OTHERS
    ],
)
# These are labels only when a colon follows: alone they begin other phrases ("last week").
COLON_ONLY: Final = frozenset(
    (word,)
    for word in words_of(
        "first last nom nombre 名 姓 firm firma organisation organization business empresa société фирма компания"
        " 会社 reason item method via article"
    )
)

# Words before a period that say which date it is.
PERIOD_LABELS: Final[dict[Phrase, str]] = _phrases(
    {
        "created": "created|created on|created in|created at|creation date|order creation date|ordered|ordered on"
        "|ordered in|bought|bought on|bought in|purchased|purchased on|purchased in|placed|placed on|placed in"
        "|order date|date|creation|order created|i bought|i ordered|orders of|orders from",
        "paid": "paid|paid on|paid in|paid at|payment|payment date|order payment date|payed|payed on|paid for"
        "|paid for on|payment on|payment in|charged|charged on|charged in|bezahlt|payé|pagado|pagato|оплачен|оплачено",
    }
)

Fields = Mapping[str, object]
_ALL_REFUNDS: Final = frozenset(RefundStatus)
# Every status of the page by its own words, and what else people call it.
STATUSES: Final[dict[Phrase, Fields]] = {
    **{_phrase(s.label): {"statuses": frozenset({s})} for s in MainStatus},
    **{_phrase(s.label): {"delivery": frozenset({s})} for s in DeliveryStatus},
    **{_phrase(s.label): {"refunds": frozenset({s})} for s in RefundStatus},
    **{_phrase(s.label): {"subscription": s} for s in SubscriptionFilter if s is not SubscriptionFilter.ANY},
}


def _add(fields: Fields, texts: str) -> None:
    for text in texts.split("|"):
        STATUSES.setdefault(_phrase(text), fields)


_add(
    {"statuses": frozenset({MainStatus.PAID})},
    "payed|is paid|bezahlt|payé|pagado|pagato|оплачен|оплачено|已付款",
)
_add(
    {"statuses": frozenset({MainStatus.NOT_PAID})},
    "unpaid|not payed|not yet paid|isn't paid|isn’t paid|never paid|awaiting payment|waiting for payment"
    "|payment pending|unbezahlt|nicht bezahlt|impayé|no pagado|не оплачен|не оплачено|未付款|notpaid"
    "|hasn't paid|has not paid",
)
_add({"statuses": frozenset({MainStatus.DELETED})}, "removed|gelöscht|удален|удалён|удалено")
_add({"statuses": frozenset({MainStatus.TERMINATED})}, "test order|test orders")
_add(
    {"delivery": frozenset({DeliveryStatus.DELIVERED})},
    "is delivered|shipped|geliefert|доставлен|доставлено|livré",
)
_add(
    {"delivery": frozenset({DeliveryStatus.NOT_DELIVERED})},
    "undelivered|not yet delivered|never delivered|isn't delivered|not received|not arrived|not shipped|unshipped"
    "|nothing arrived|nicht geliefert|не доставлен|не доставлено|non livré|no key|no licence|no license"
    "|hasn't arrived|has not arrived|never arrived|non-delivered|never received",
)
_add(
    {"refunds": frozenset({RefundStatus.REQUESTED})},
    "refund requested|requested refund|requested a refund|refund request|refund request sent|refund sent|refund pending"
    "|pending refund|refund waiting|refund is requested|awaiting refund|waiting for refund|wants a refund|wants refund"
    "|open refund|open refunds|refund open",
)
_add(
    {"refunds": frozenset({RefundStatus.UPDATING})},
    "refund updating|refund in progress|refund taken|refund being updated|refund in work|updating refund"
    "|refund is being processed|refund processing",
)
_add(
    {"refunds": frozenset({RefundStatus.COMPLETED})},
    "refunded|refund completed|refund done|completed refund|refund fulfilled|is refunded|was refunded|money back"
    "|got refund|got a refund|fully refunded|partially refunded|erstattet|remboursé|reembolsado|возвращен|возвращён"
    "|request completed|refund request has been completed|refund request completed|已退款|返金済み",
)
_add(
    {"refunds": frozenset({RefundStatus.REFUSED})},
    "refund refused|refused refund|refund rejected|rejected refund|refund declined|declined refund|refund denied"
    "|refund failed|failed refund|refusal|no refund",
)
_add({"refunds": _ALL_REFUNDS}, "refund|refunds|with refund|with a refund|any refund|возврат|返金|退款")
_add(
    {"subscription": SubscriptionFilter.WITH},
    "subscription|subscriptions|with subscription|subscribed|subscriber|has subscription|has a subscription|abo",
)
_add(
    {"subscription": SubscriptionFilter.ACTIVATED},
    "auto-renewal|auto-renewal on|auto renewal|autorenewal|auto-renewal has been activated|auto-renewal active"
    "|active subscription|renewal active|renewal on|renews|auto renewal activated|subscription active|auto renewal on",
)
_add(
    {"subscription": SubscriptionFilter.DEACTIVATED},
    "auto-renewal off|auto-renewal has been deactivated|auto-renewal cancelled|auto-renewal canceled|renewal cancelled"
    "|renewal canceled|renewal off|subscription cancelled|subscription canceled|cancelled subscription"
    "|canceled subscription|auto renewal deactivated|auto renewal off|renewal stopped|subscription stopped",
)
# A cancelled order is a deleted one; "cancelled" also says that a renewal was stopped.
CANCELLED: Final[tuple[Fields, ...]] = (
    {"statuses": frozenset({MainStatus.DELETED})},
    {"subscription": SubscriptionFilter.DEACTIVATED},
)
for _word in (  # both, as `CANCELLED` ranks them; pieces look them up by their empty fields
    "cancelled",
    "canceled",
    "cancelled order",
    "storniert",
    "annulé",
    "отменен",
    "отменён",
):
    STATUSES[_phrase(_word)] = {}

_LONGEST_PHRASE: Final = max(map(len, (*LABELS, *PERIOD_LABELS, *STATUSES)))

# Before a status that the form cannot leave out.
NEGATIONS: Final = words_of("not no never without nicht kein non pas no sin не без isn't isn’t wasn't wasn’t")
STRAY_NEGATIONS: Final = words_of("not never nicht kein не without doesn't don't didn't doesn’t don’t didn’t")
TITLES: Final = words_of("mr mrs ms miss dr herr frau mme m monsieur madame sr sra señor señora г-н г-жа")
# Words that only connect others. Alone, or beside another name, they are names like any other (An, My, Will).
CONNECTING: Final = words_of(
    "a an the my his her their our your this that these those of on in at by for from with without to and"
    " or & + - – — / was is are were be been has have had who whom which what when where i he she they we"
    " you it its me him them us customer customers client clients buyer user person order orders ordered"
    " purchase purchases purchased bought buy please find show search look looking all any some status"
    " hello hi hey dear mr mrs ms dr herr frau mme monsieur madame about around ca approx only just says"
    " said claims email mail phone card created placed paid number und von der die das et de la le y e и в"
    " на с от du des mit am im um bei el los las clock o'clock account accounts licence license date dates"
    " day days since until via call reach contact need needs want wants got get received sent part key code pay"
    " can't cannot help there still again can could would do does did but so"
    " work works working worked problem question miss sr sra"
)
