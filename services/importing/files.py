"""Checks of the files of an order document: their type, and their content in Base64."""

import base64
import re
from typing import Final

from services.importing.fields import FILE_NAME, text
from services.importing.refusals import JsonObject, WrongField, refuse

DOCUMENT_BYTES: Final = 10 * 1024 * 1024
_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9_.+-]+/[A-Za-z0-9_.+-]+").fullmatch


def media_type(source: JsonObject, key: str, where: str) -> str:
    value = text(source, key, where, FILE_NAME)
    if value is None:
        return "application/pdf"
    if _MEDIA_TYPE(value) is None:
        refuse(where, key, "a file type such as application/pdf", value)
    return value


def content(source: JsonObject, key: str, where: str) -> bytes:
    """The bytes of a file that was sent as Base64, at most 10 MB of them."""
    value = source.get(key)
    if type(value) is not str or not value:
        refuse(where, key, "the content of a file in Base64", value or None)
    data = b""
    fits = len(value) <= DOCUMENT_BYTES * 4 // 3 + 4
    if fits:
        try:
            data = base64.b64decode(value, validate=True)
        except ValueError:
            raise WrongField(where + key, "The content of the file is not valid Base64.") from None
    if not fits or len(data) > DOCUMENT_BYTES:
        raise WrongField(
            where + key, f"The file is over {DOCUMENT_BYTES >> 20} MB, the most that is accepted."
        )
    return data
