"""Order documents inside messages: checked as the import checks them, and only of the connection's own store."""

import json
from collections.abc import Mapping
from typing import Any

from services.connections.messages import WrongMessage
from services.importing.document import ImportLineError, parse_order
from services.importing.models import OrderDocument


def line_of(data: Mapping[str, Any]) -> str:
    """The document as a line of an import file."""
    return json.dumps(data, ensure_ascii=True)


def check_document(data: Mapping[str, Any], store: str) -> OrderDocument:
    """The document, checked; raises `WrongMessage` with the path of the field."""
    try:
        document = parse_order(line_of(data), 1).order
    except ImportLineError as error:
        raise WrongMessage(f"data.{error.field}" if error.field else "data", error.reason) from None
    if document.checkout_page != store:
        raise WrongMessage("data.checkout_page", f"This connection belongs to the store {store}.")
    return document
