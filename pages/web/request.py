"""Where a request to one of our own routes comes from, for the audit log."""

from starlette.requests import Request


def route_address(request: Request) -> str | None:
    """The address of the browser; None on this machine itself."""
    return request.client.host if request.client else None
