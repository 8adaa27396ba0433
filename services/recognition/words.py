"""Sets of words, written as one text."""


def words_of(text: str) -> frozenset[str]:
    """The words of a text, between white space."""
    return frozenset(text.split())
