"""Groups of fields of an order document: lists of them, unknown keys, and texts that cannot be stored."""

from services.importing.fields import Fields, WrongField, quote, wrong


def group(value: object, path: str) -> Fields:
    """The fields of a group such as the customer."""
    if type(value) is not dict:
        wrong("", path, "an object", value)
    return value


def groups(fields: Fields, key: str, where: str) -> list[Fields]:
    """A list of groups of fields; empty when absent."""
    value = fields.get(key)
    if value is None:
        return []
    if type(value) is not list:
        wrong(where, key, "a list in [ ]", value)
    for position, entry in enumerate(value):
        if type(entry) is not dict:
            wrong(where, f"{key}[{position}]", "an object", entry)
    return value


def keep_known(fields: Fields, known: frozenset[str], where: str, unknown: list[str]) -> None:
    """Takes out the keys that the order document does not have, and notes their paths."""
    if not known.issuperset(fields):
        for key in [key for key in fields if key not in known]:
            del fields[key]
            unknown.append(where + quote(key)[1:-1])


def refuse_unstorable(value: object, path: str) -> None:
    """PostgreSQL keeps no U+0000 in a text, and half of a surrogate pair is no character at all."""
    if isinstance(value, str):
        for character in value:
            if character == "\0" or "\ud800" <= character <= "\udfff":
                raise WrongField(
                    path, f"The text has the character U+{ord(character):04X}, which cannot be stored."
                )
    elif isinstance(value, dict):
        for key, entry in value.items():
            refuse_unstorable(entry, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for position, entry in enumerate(value):
            refuse_unstorable(entry, f"{path}[{position}]")
