"""The refund document: every script, every sum, and nothing left out without a trace."""

import io
import random
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import regex
from pypdf import PdfReader

from services.money import format_money
from services.order_actions.locking import LockedOrder
from services.pdf.pages import plain_text, runs
from services.refunds.document import refund_pdf
from services.refunds.plans import RefundedItem
from services.refunds.sums import Line, refund_sums

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def order(**fields: object) -> LockedOrder:
    values: dict[str, Any] = dict[str, Any].fromkeys(LockedOrder.__slots__) | {
        "order_id": 1, "order_name": "A0000000001", "currency": "EUR", "total": Decimal(9), "paid_at": NOW,
        "created_at": NOW, "page_key": uuid4(), "first_name": "Inês", "store": "shop-a", "status": "paid",
        "payment_method": "WireTransfer",
    }  # fmt: skip
    return LockedOrder(**values | fields)


def made(*names: str, **fields: object) -> bytes:
    items = [RefundedItem(n, name, 1, Decimal("5.40"), Decimal("5.40")) for n, name in enumerate(names, 1)]
    return refund_pdf(order(**fields), items, request_id=7, now=NOW)


def text_of(content: bytes) -> str:
    reader = PdfReader(io.BytesIO(content))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


@pytest.mark.parametrize(
    "name",
    [
        "ウイルス対策ソフト 3台版 2026年", "防病毒软件 专业版", "防毒軟體 專業版 𠮷", "안티바이러스 프로 3대",
        "Антивирус для Łódź", "Προστασία από ιούς", "ანტივირუსი", "Հակավիրուս", "ፀረ-ቫይረስ", "ਐਂਟੀਵਾਇਰਸ", "వైరస్ నిరోధక",
        "Phần mềm diệt vi-rút", "ແອນຕີໄວຣັສ", "ဗိုင်းရပ်စ်", "{nb} ✔ →", "🛡 Antivirus",
    ],
)  # fmt: skip
def test_a_name_is_written_and_can_be_copied_out_again(name: str) -> None:
    content = made(name, company_name=name, store_title=name)
    assert text_of(content).replace(" ", "").count(name.replace(" ", "")) == 3
    assert len(content) < 60_000


@pytest.mark.parametrize(
    "name",
    ["مضاد الفيروسات", "אנטי וירוס", "एंटीवायरस क्षत्रिय", "แอนติไวรัส สำหรับ", "অ্যান্টিভাইরাস", "வைரஸ் தடுப்பு",
     "ಆಂಟಿವೈರಸ್", "ആന്റിവൈറസ്", "એન્ટિવાયરસ", "ប្រឆាំងមេរោគ", "👨‍👩‍👧 🇵🇹 ❤️"],
)  # fmt: skip
def test_shaped_scripts_have_all_their_letters(name: str) -> None:
    """A reader gives them back in the order in which they stand on the page: only that they are there is compared."""
    text = text_of(made(name))
    assert set(name) - {" "} <= set(text), text
    assert "[U+" not in text


def test_what_no_font_has_is_said() -> None:
    assert plain_text("Tibetan བ\ue000\x07") == "Tibetan [U+0F56][U+E000][U+0007]"
    assert "[U+0F56]" in text_of(made("Tibetan བ"))
    assert plain_text("a\u202eb\tc\n d") == "ab c d", "nothing turns the direction, and nothing breaks a line"


@pytest.mark.parametrize("letter", ["W", "W ", "防", "\u0f56", "क्ष"])
def test_a_name_of_any_length_is_written_whole(letter: str) -> None:
    text = text_of(made(letter * 2_000, "Second")).replace(" ", "")
    assert text.count(plain_text(letter)[0]) >= 2_000
    assert "Second" in text and "TotalrefundedEUR10.80" in text


def drawn_characters() -> Iterator[str]:
    for code in (
        *range(0x21, 0x3000),
        *range(0x3041, 0x3100),
        *range(0xAC00, 0xAC80),
        *range(0x1F300, 0x1F400),
    ):
        character = chr(code)
        if unicodedata.category(character)[0] in "LNPS" and not regex.match(r"\p{DI}", character):
            yield character


def test_every_character_has_a_font_or_its_code_point() -> None:
    for character in drawn_characters():
        text = plain_text(character)
        [(font, part)] = runs(text) if len(text) > 1 else runs(character)
        assert part and font.exists()
        assert "[U+" in text or unicodedata.normalize("NFC", character) == text


def test_documents_of_random_orders_are_the_sums_of_their_lines_and_never_more_than_was_paid() -> None:
    chance = random.Random(4)
    for _ in range(40):
        lines = [
            Line(n, Decimal(chance.randint(-300, 20_000)).scaleb(-2)) for n in range(1, chance.randint(2, 5))
        ]
        total = max(Decimal(0), sum((line.amount for line in lines), Decimal(0)) - chance.randint(-3, 9))
        sums = refund_sums(total, "EUR", lines)
        chosen = chance.sample(sorted(sums.shares), chance.randint(1, len(sums.shares)))
        items = [RefundedItem(p, f"Item {p}", 1, sums.shares[p], lines[p - 1].amount) for p in chosen]
        text = text_of(refund_pdf(order(total=total), items, request_id=7, now=NOW))
        *amounts, written = [
            Decimal(word.replace(",", "")) for word in regex.findall(r"EUR (-?[\d,.]+\d)", text)
        ]
        assert sum(amounts) == written == sums.sum_of(chosen) <= total
        assert f"Total refunded {format_money(written, 'EUR')}" in text
