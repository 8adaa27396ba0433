"""docs/searching.md: each example fills the fields that the page says."""

import re

from pages.components.orders.filter_chips import active_filters
from services.recognition.recognizer import recognize
from tests.services.recognition.support import CONTEXT
from tests.support.documentation import ROOT, text_of


def test_every_example_of_the_page_is_recognised_as_it_says() -> None:
    examples = re.findall(r"^\| `(.+)` \| (.+) \|$", text_of(ROOT / "docs" / "searching.md"), re.M)
    assert len(examples) >= 30
    for typed, searched in examples:
        reading = recognize(typed, CONTEXT).readings[0]
        labels = {label for label, _ in active_filters(reading.typed)}
        assert labels == set(searched.split(" · ")), typed
        assert not reading.unplaced
