"""JSON objects inside an order document: lists of them, unknown keys, and strings that cannot be stored."""

from services.importing.refusals import JsonObject, WrongField, quote, refuse


def require_object(value: object, path: str) -> JsonObject:
    """The value, which must be an object, such as the customer. Raises `WrongField`."""
    if type(value) is not dict:
        refuse("", path, "an object", value)
    return value


def list_of_objects(source: JsonObject, key: str, where: str) -> list[JsonObject]:
    """A list of objects; empty when absent. Raises `WrongField`."""
    value = source.get(key)
    if value is None:
        return []
    if type(value) is not list:
        refuse(where, key, "a list in [ ]", value)
    for index, entry in enumerate(value):
        if type(entry) is not dict:
            refuse(where, f"{key}[{index}]", "an object", entry)
    return value


def drop_unknown(source: JsonObject, names: frozenset[str], where: str, unknown: list[str]) -> None:
    """Remove the keys that the order document does not have, and add their paths to `unknown`."""
    if not names.issuperset(source):
        for key in [key for key in source if key not in names]:
            del source[key]
            unknown.append(where + quote(key)[1:-1])


def refuse_unstorable(value: object, path: str) -> None:
    """Raise `WrongField` for a string that PostgreSQL cannot store: one with U+0000 or half of a surrogate pair."""
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
        for index, entry in enumerate(value):
            refuse_unstorable(entry, f"{path}[{index}]")
