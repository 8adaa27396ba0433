"""`make shop`: the portal with demo data, and a pretend shop that is connected to it, both on this machine.

    python -m bench.shop [--port N] [--alone]

Orders that are placed on the shop's page arrive in the portal; what is done there arrives at the shop and is answered.
The portal is started here, unless it runs already, and told that it may send to this machine (ESUPPORT_HOOK_HOSTS): no
other start allows that by itself.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvicorn

from bench.shop.connecting import STORE, NotADemo, connect, secrets_of
from bench.shop.link import Link
from bench.shop.shop import Shop
from bench.shop.web import EVENTS_PATH, shop_app
from db.connections.engine import dispose_engines
from db.settings import database_settings
from services.errors import SupportError
from services.settings import settings

_HOST: Final = "localhost"
_PORT: Final = 8600
_PATIENCE: Final = 600.0  # the first start installs nothing, but fills the demo


class NoPortal(Exception):
    """The portal is not there; the text says what to do."""


def main() -> int:
    """Serve until Ctrl-C; the exit status."""
    options = _options().parse_args()
    _allow_this_machine()
    portal = settings().web.base_url
    shop_url = f"http://{_HOST}:{options.port}"
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with _portal(portal, is_started_elsewhere=options.alone):
            shop = _shop(portal, f"{shop_url}{EVENTS_PATH}")
            print(f"\nThe pretend shop of the store {STORE} is at {shop_url}   (Ctrl-C stops it)", flush=True)
            uvicorn.run(shop_app(shop, portal), host="127.0.0.1", port=options.port, log_level="warning")
    except (NoPortal, NotADemo, SupportError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="python -m bench.shop", description="A pretend shop for the demo, and the portal with it."
    )
    options.add_argument("--port", type=int, default=_PORT, help=f"the port of the shop's page ({_PORT})")
    options.add_argument(
        "--alone", action="store_true", help="start the shop only; the portal is started elsewhere"
    )
    return options


def _allow_this_machine() -> None:
    """For this process, which makes the connection, and for the portal that it starts."""
    named = os.environ.get("ESUPPORT_HOOK_HOSTS", "").strip()
    os.environ["ESUPPORT_HOOK_HOSTS"] = f"{named} {_HOST}".strip()


def _shop(portal: str, events_url: str) -> Shop:
    connection = connect(events_url)
    link = Link(f"{portal}/hooks/v1/{connection.key}", lambda: secrets_of(connection.id))
    folder = Path(database_settings().data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    return Shop(STORE, link, folder / "pretend-shop.json")


@contextmanager
def _portal(address: str, *, is_started_elsewhere: bool) -> Iterator[None]:
    """The portal, up for the block. One that runs already is left alone, also afterwards."""
    if _answers(address):
        print(
            f"The portal runs already at {address}. If its events do not arrive here, stop it and let this command "
            "start it, or start it with ESUPPORT_HOOK_HOSTS=localhost.",
            flush=True,
        )
        yield
        return
    if is_started_elsewhere:
        raise NoPortal(f"The portal does not answer at {address}. Start it first: make run")
    process = subprocess.Popen([sys.executable, "-m", "services.portal"], start_new_session=True)
    try:
        deadline = time.monotonic() + _PATIENCE
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NoPortal("The portal did not start.")
            time.sleep(0.3)
        yield
    finally:
        dispose_engines()
        process.terminate()
        process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(main())
