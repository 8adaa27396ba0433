"""Order documents inside messages: checked as the import checks them, and only of the connection's own store."""

import json
from collections.abc import Mapping
from typing import Any

from services.connections.incoming import WrongMessage
from services.importing.document import ImportLineError, ParsedOrder, parse_order
from services.importing.models import OrderDocument


def parse_document(data: Mapping[str, Any], store: str | None) -> ParsedOrder:
    """The document, checked; raises `WrongMessage` with the path of the field. `store` None takes any store."""
    try:
        parsed = parse_order(json.dumps(data, ensure_ascii=True), 1)
    except ImportLineError as error:
        raise WrongMessage(f"data.{error.field}" if error.field else "data", error.reason) from None
    except RecursionError:
        raise WrongMessage("data", "The document is nested too deeply.") from None
    if store is not None and parsed.order.checkout_page != store:
        raise WrongMessage("data.checkout_page", f"This connection belongs to the store {store}.")
    return parsed


def check_document(data: Mapping[str, Any], store: str) -> OrderDocument:
    return parse_document(data, store).order
