"""The raw bytes of a request's body, never more of them than its route can use."""

from starlette.requests import Request


async def read_raw_body(request: Request, most_bytes: int) -> bytes | None:
    """The whole body; None as soon as it is known to be longer than `most_bytes`."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > most_bytes:
        return None
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most_bytes:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def is_json(request: Request) -> bool:
    """Whether the request says that its body is JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json"
