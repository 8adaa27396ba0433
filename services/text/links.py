"""The targets of links that are made of values from outside."""

from services.text.web_addresses import is_web_address

_LONGEST = 2000


def safe_link(address: str | None) -> str | None:
    """The address, if it may become a link: http or https, and the host that it seems to lead to.

    Called wherever a link is drawn or mailed: other systems write to the tables directly, and earlier versions imported
    rows under a weaker rule.
    """
    return address if address and len(address) <= _LONGEST and is_web_address(address) else None
