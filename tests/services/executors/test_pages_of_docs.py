"""docs/stripe.md says what the portal says: its sentences are those of the code."""

import re

from services.executors.stripe import API_VERSION, KEY
from services.executors.stripe_messages import STRIPE_HANDLERS
from tests.support.documentation import ROOT, text_of

PAGE = text_of(ROOT / "docs" / "stripe.md")


def test_every_sentence_of_a_trouble_is_one_of_the_codes() -> None:
    rows = (
        PAGE.split("| the connection or the order says | do |\n|---|---|\n")[1].split("\n\n")[0].splitlines()
    )
    sentences = [row.split("|")[1].strip() for row in rows]
    sources = [
        path.read_text(encoding="utf-8") for path in (ROOT / "services" / "executors").glob("stripe*.py")
    ]
    assert len(sentences) >= 5
    assert [one for one in sentences if not any(one in source for source in sources)] == []


def test_the_page_names_the_events_the_key_and_the_version() -> None:
    events = set(re.findall(r"`((?:charge\.)?refund\.\w+)`", PAGE))
    assert events == set(STRIPE_HANDLERS)
    assert f"`{KEY.format(311)}`" in PAGE and f"`{API_VERSION}`" in PAGE
