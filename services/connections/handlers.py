"""What messages of a shop do that are not order documents; those are merged in batches (order_batches.py)."""

from collections.abc import Mapping
from typing import Final

from services.connections.kinds import Handler

SHOP_HANDLERS: Final[Mapping[str, Handler]] = {}
