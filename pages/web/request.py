"""The origin of a request to one of the portal's own routes, for the audit log."""

from starlette.requests import Request


def route_address(request: Request) -> str | None:
    """The network address of the browser; None on this machine itself."""
    return request.client.host if request.client else None
