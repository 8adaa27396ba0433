"""The programs of a portal: the user that each runs as, and the addresses of the database that it gets."""

import os
from collections.abc import Callable, Mapping
from typing import Final

from db.settings import database_settings
from services.entrypoints.child_process import Child
from services.entrypoints.ordinary_user import (
    MAIL_ACCOUNTS,
    WEB_ACCOUNTS,
    OrdinaryUser,
    find_user,
    why_it_cannot,
)

# The needs of each program, tried as its user before it runs: interpreter and libraries, code, database, port.
_WEB_CHECK: Final = """
import socket, sys
import pages.web.gate
from db.connections.engine import anonymous_transaction, jobs_transaction
with anonymous_transaction(), jobs_transaction():
    pass
for family, kind, _, _, address in socket.getaddrinfo("localhost", {port}, type=socket.SOCK_STREAM):
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError:
            sys.exit("it may not open port {port}")
        except OSError:
            pass
"""
_MAIL_CHECK: Final = """
import services.delivery.worker
from db.connections.engine import jobs_transaction
with jobs_transaction():
    pass
"""


def programs(port: int, hooks_port: int | None, owner_url: str, say: Callable[[str], None]) -> list[Child]:
    """The web server first, then the workers; not yet started. When root starts them, `say` is told the users they run
    as. With `hooks_port`, messages of shops are taken in there by a program of their own, the web server's twin.
    """
    from db.connections.roles import app_url, web_jobs_url

    # The web server is not told the owner's address: its pages are bound by row-level security, and what judges second
    # factors and single sign-ons takes on the jobs' role.
    web_environment = {
        "ESUPPORT_APP_DATABASE_URL": app_url(owner_url),
        "ESUPPORT_WEB_JOBS_DATABASE_URL": web_jobs_url(owner_url),
        "DATABASE_URL": "",
    }
    database, taken = _database_account()
    web_user = _user(
        "web server",
        WEB_ACCOUNTS,
        taken,
        database,
        _WEB_CHECK.format(port=port),
        web_environment,
        say,
    )
    arguments = ["streamlit", "run", "pages/web/server.py", "--server.headless", "true", "--server.port"]
    web_server = _child("web server", [*arguments, str(port)], web_user, web_environment)
    environment = {"DATABASE_URL": owner_url}
    user = _user(
        "mail worker",
        MAIL_ACCOUNTS,
        taken | ({web_user.uid} if web_user else set()),
        database,
        _MAIL_CHECK,
        environment,
        say,
    )
    children = [web_server, _child("mail worker", ["services.mail"], user, environment)]
    if hooks_port is not None:
        children.append(_child("hook server", ["pages.web.hook_server"], web_user, web_environment))
    return children


def _database_account() -> tuple[int | None, set[int]]:
    """The group that may pass to the embedded database, and the account that nobody else may be."""
    current = database_settings()
    if current.database_url is not None:
        return None, set()
    from db.embedded.home import find_home

    account = find_home(current.data_dir).account
    return account.gid, {account.uid}


def _user(
    name: str,
    accounts: tuple[str, ...],
    taken: set[int],
    group: int | None,
    check: str,
    environment: Mapping[str, str],
    say: Callable[[str], None],
) -> OrdinaryUser | None:
    if os.geteuid() != 0:
        return None
    user = find_user(accounts, taken=taken, group=group)
    if user is None:
        say(f"The {name} runs as root: this machine has none of the accounts {', '.join(accounts)}.")
        return None
    if why_not := why_it_cannot(user, check, _environment(environment)):
        say(
            f"The {name} runs as root, for the user {user.name} cannot run it ({why_not}). See docs/decisions/020."
        )
        return None
    say(f"The {name} runs as the user {user.name}.")
    return user


def _child(
    name: str, arguments: list[str], user: OrdinaryUser | None, environment: Mapping[str, str]
) -> Child:
    # As root, or as the user who started the portal, it finds the database in the same way.
    inherited = None if user is None else _environment(environment)
    return Child(name, arguments, user=user, environment=inherited)


def _environment(changed: Mapping[str, str]) -> dict[str, str]:
    # Root's home is closed to these users, and Streamlit looks for its settings there.
    return os.environ | {"HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"} | dict(changed)
