"""Noventiq's JSON: numbers stay as they were written, because signatures and amounts are made of their digits."""

import json
from typing import Final, NoReturn, TypeGuard

# What `load` returns holds: dict, list, str, Number, bool, None.
Json = dict[str, "Json"] | list["Json"] | str | bool | None
JsonObject = dict[str, Json]


class Number(str):
    """A number as its characters."""

    __slots__ = ()


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


_decoder: Final = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_refuse_constant)


def load(content: bytes) -> JsonObject | None:
    """The object in these bytes; None for everything else. Never raises."""
    try:
        value: Json = _decoder.decode(content.decode())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def is_text(value: Json) -> TypeGuard[str]:
    """Whether the value is a JSON string, and no number."""
    return isinstance(value, str) and not isinstance(value, Number)


def part(source: JsonObject, key: str) -> JsonObject:
    """The object under `key`; an empty one when there is none."""
    value = source.get(key)
    return value if isinstance(value, dict) else {}
