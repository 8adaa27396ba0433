"""The kinds of connections that receive messages: a new one is a line here.

The web server stores their messages (pages/web/hooks.py), and the worker carries them out (`apply_incoming`).
"""

import threading
from typing import Final

from db.schema.connection_states import ConnectionKind
from services.connections.applying import apply_due
from services.connections.handlers import SHOP_HANDLERS
from services.connections.incoming import IncomingKind, Kinds
from services.connections.shop_messages import ShopReceiver
from services.executors.stripe_messages import STRIPE_HANDLERS, StripeReceiver
from services.noventiq.applying import HANDLERS as NOVENTIQ_HANDLERS
from services.noventiq.receiving import NoventiqReceiver

INCOMING: Final[Kinds] = {
    ConnectionKind.WEBHOOKS: IncomingKind(ShopReceiver(), SHOP_HANDLERS),
    ConnectionKind.NOVENTIQ: IncomingKind(NoventiqReceiver(), NOVENTIQ_HANDLERS),
    ConnectionKind.STRIPE: IncomingKind(StripeReceiver(), STRIPE_HANDLERS),
}


def apply_incoming(stop: threading.Event | None = None) -> int:
    """Carry out what is due in the inbox; how many messages were settled."""
    return apply_due(INCOMING, stop)
