"""What people call their browsers."""

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
    """What people call the browser that sends this: `Firefox on Linux`."""
    given = user_agent or ""
    browser = next((name for mark, name in _BROWSERS if mark in given), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in given), None)
    return f"{browser} on {system}" if system else browser
