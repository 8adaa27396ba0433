"""Readable names of browsers."""

from typing import Final

_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def describe_user_agent(user_agent: str | None) -> str:
    """A readable name of the browser that sends this User-Agent: `Firefox on Linux`."""
    header = user_agent or ""
    browser = next((name for mark, name in _BROWSERS if mark in header), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in header), None)
    return f"{browser} on {system}" if system else browser
