"""The raw bytes of a request's body, never more of them than its route can use."""

from typing import Final

from starlette.requests import Request

# Of a body that is too long, so much is read and thrown away: most clients read no answer before they have sent all.
_MOST_DISCARDED: Final = 4 * 1024 * 1024


async def read_raw_body(request: Request, most_bytes: int) -> bytes | None:
    """The whole body; None when it is longer than `most_bytes`."""
    announced = request.headers.get("content-length", "")
    most_read = most_bytes + _MOST_DISCARDED
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > most_read:
        return None
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most_read:
            return None
        if size > most_bytes:
            chunks.clear()
        else:
            chunks.append(chunk)
    return b"".join(chunks) if size <= most_bytes else None


def is_json(request: Request) -> bool:
    """Whether the request says that its body is JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json"
