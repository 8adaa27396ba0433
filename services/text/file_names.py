"""File names from outside, as they may be shown and saved."""

import re
from typing import Final

# Characters that reverse a text ("annexe" + U+202E + "fdp.exe" reads as "annexeexe.pdf"), are invisible or end a line.
_MISLEADING: Final = re.compile(
    "[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u115f\\u1160\\u180b-\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e"
    "\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb\\ud800-\\udfff\\U000e0000-\\U000e0fff]"
)
_SEPARATORS: Final = re.compile(r"[\\/:*?\"<>|]")


def shown_name(name: str) -> str:
    """The name with a visible mark in place of every character that would make it look like another name."""
    return _MISLEADING.sub("\N{REPLACEMENT CHARACTER}", name)


def saved_name(name: str) -> str:
    """The name in a form valid on every system: without folders or misleading marks, neither hidden nor empty."""
    plain = _SEPARATORS.sub("_", _MISLEADING.sub("_", name)).strip(" ").rstrip(".")
    return f"_{plain}" if plain.startswith(".") or not plain else plain
