"""`python -m pages.web.hook_server`: messages of shops and requests of help desks, in a process of their own.

In the web server each of them waits for its turn behind the pages that are being drawn. A proxy sends the two
addresses here (docs/nginx.conf); the web server answers at them as well.
"""

import gc
import os
import sys
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from pages.web.helpdesk import HELP_DESK_ROUTES
from pages.web.hooks import HOOK_ROUTES
from pages.web.proxies import TrustedProxies
from pages.web.security_headers import SecurityHeaders, health
from services.settings import settings

# Where the web server listens, too (docs/operating.md).
_ADDRESS: Final = "STREAMLIT_SERVER_ADDRESS"


def make_app() -> Starlette:
    """The two routes, and `/health` for a proxy."""
    return Starlette(
        routes=[Route("/health", health), *HELP_DESK_ROUTES, *HOOK_ROUTES],
        middleware=[Middleware(TrustedProxies), Middleware(SecurityHeaders)],
    )


def main() -> int:
    """Serve until told to stop; return the process's exit status."""
    port = settings().web.hooks_port
    if port is None:
        print("ESUPPORT_HOOKS_PORT is not set.", file=sys.stderr)
        return 1
    gc.collect()
    gc.freeze()  # the modules stay until the process ends
    uvicorn.run(
        make_app(),
        host=os.environ.get(_ADDRESS) or "localhost",
        port=port,
        access_log=False,  # an address is a key
        log_level="warning",
        proxy_headers=False,  # proxies.py decides whom to believe
        server_header=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
