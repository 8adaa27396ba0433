"""Countries in the ways that shops write them."""

import pytest

from services.countries import country_code, country_codes, country_keys, country_name


@pytest.mark.parametrize(("text", "code"), [
    ("de", "DE"), (" DEU ", "DE"), ("GERMANY", "DE"), ("usa", "US"), ("United States of America", "US"), ("UK", "GB"),
    ("Türkiye", "TR"), ("Turkey", "TR"), ("Cote d'Ivoire", "CI"), ("Côte d’Ivoire", "CI"), ("XK", "XK"),
    ("Atlantis", None), ("", None), ("D", None), ("Ger", None),
])  # fmt: skip
def test_a_country_is_known_by_code_and_name(text: str, code: str | None) -> None:
    assert country_code(text) == code


def test_codes_and_names_mean_one_country_each() -> None:
    keys = [key for code in country_codes() for key in set(country_keys(code))]
    assert len(keys) == len(set(keys)) and all(keys)
    assert len(country_codes()) == 250
    assert all(country_code(country_name(code) or "") == code for code in country_codes())


def test_another_text_is_its_own_key() -> None:
    assert country_keys(" Atlantis ") == ("atlantis",)
    assert country_keys(" ") == ()
