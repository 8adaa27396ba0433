"""What the tests of accounts do as an administrator, and what they look at."""

import re
from typing import Any
from uuid import uuid4

from db.connections.engine import viewer_transaction
from services.access import Role
from services.accounts.administration import (
    Grants,
    create_account,
)
from services.accounts.listing import ListedAccount, find_accounts, get_account
from services.actions import Action, ActionRequest, perform
from tests.support import factories
from tests.support.factories import run


def act(account_id: int, action: Action[...], *args: Any, **kwargs: Any) -> str:
    """What a page does when a dialog about no order is confirmed; the sentence."""
    request = ActionRequest(key=uuid4(), address="192.0.2.1")
    return perform(factories.viewer(account_id), request, action, *args, **kwargs)


def made(people: dict[str, int], name: str, **grants: Any) -> ListedAccount:
    email = f"{name}@team.example"
    granted = Grants(**{"role": Role.SPECIALIST} | grants)
    act(people["admin"], create_account, email=email, name=name.title(), grants=granted)
    with viewer_transaction(people["admin"]) as connection:
        [account] = find_accounts(connection, factories.viewer(people["admin"]), search_text=email)
    return account


def seen(people: dict[str, int], account_id: int) -> ListedAccount:
    with viewer_transaction(people["admin"]) as connection:
        return get_account(connection, factories.viewer(people["admin"]), account_id)


def store(name: str) -> int:
    [[store_id]] = run("SELECT id FROM checkout_page WHERE name = :name", name=name)
    return int(store_id)


def mailed_password(account_id: int) -> str:
    [[body]] = run(
        "SELECT text_body FROM mail WHERE account_id = :id ORDER BY id DESC LIMIT 1", id=account_id
    )
    match = re.search("One-time password: (.*)", body)
    assert match
    return match[1]


def signed_in(account_id: int) -> str:
    return factories.session(account_id)
