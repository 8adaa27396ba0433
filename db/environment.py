"""Variables of the environment, and the checks that several of them share.

Modules use db/settings.py and services/settings.py and never read `os.environ` themselves, so that the table of
variables in the documentation and the code cannot drift apart.
"""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

PROJECT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """A variable has an unusable value; the text is a sentence that names the variable.

    The value itself is omitted: several variables hold passwords, and the sentence ends up in logs.
    """


def snapshot(names: tuple[str, ...]) -> tuple[str | None, ...]:
    """The present values of these variables, the key under which parsed settings are cached."""
    return tuple(os.environ.get(name) for name in names)


def read(name: str) -> str | None:
    """The variable's value without spaces at its ends; an empty one counts as unset."""
    # Compose files and service units often hand over variables that are set to nothing.
    return os.environ.get(name, "").strip() or None


def optional(name: str, parse: Callable[[str, str], str]) -> str | None:
    """The variable's parsed value, or None if it is unset. `parse` takes name and value and raises `SettingsError`."""
    value = read(name)
    return None if value is None else parse(name, value)


def whole_number(name: str, value: str, *, largest: int, unit: str = "") -> int:
    """A number from 1 to `largest`; raises `SettingsError`."""
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= largest):
        raise SettingsError(f"{name} must be a whole number{unit} from 1 to {largest}.")
    return int(value)


def has_valid_port(value: str) -> bool:
    """Whether the port of an address is valid or absent."""
    try:
        port = urlsplit(value).port
    except ValueError:  # a port that is not a number, or an unbalanced bracket
        return False
    return port is None or port > 0


def scheme_and_host(value: str) -> tuple[str, str | None]:
    """The scheme of an address and its host, None where it names none."""
    parts = urlsplit(value)
    return parts.scheme, parts.hostname
