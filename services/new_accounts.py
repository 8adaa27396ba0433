"""Making accounts."""

import re
import secrets
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, text

from db.tables import account, account_page, audit_log, checkout_page
from services.access import Role
from services.errors import Conflict, InvalidInput
from services.passwords import hash_password

# No letters and digits that look alike: a one-time password is read from a screen and typed.
_LETTERS = "abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXYZ234679"
_EMAIL = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+")


def create_account(
    connection: Connection,
    *,
    email: str,
    name: str,
    role: Role | str,
    stores: Sequence[str] = (),
    all_stores: bool = False,
) -> str:
    """Makes an account and returns its one-time password; the first sign-in must set another one.

    `connection` is a transaction of the jobs' role. Raises `InvalidInput` for an unusable e-mail or name and for a
    store that does not exist, `Conflict` when the e-mail has an account already.
    """
    email, name = email.strip(), " ".join(name.split())
    if not _EMAIL.fullmatch(email) or len(email) > 320 or not email.isprintable():
        raise InvalidInput("This is no e-mail address.", field="email")
    if not 1 <= len(name) <= 200 or not name.isprintable():
        raise InvalidInput("A name has 1 to 200 characters.", field="name")
    page_ids = []
    for store in stores:
        page_id = connection.execute(
            select(checkout_page.c.id).where(checkout_page.c.name == store)
        ).scalar_one_or_none()
        if page_id is None:
            raise InvalidInput(f"There is no store named “{store}”.", field="stores")
        page_ids.append(page_id)
    known = connection.execute(
        select(account.c.id).where(account.c.email_key == text("fold(:email)")), {"email": email}
    ).scalar_one_or_none()
    if known is not None:
        raise Conflict("There is an account with this e-mail already.")
    password = "".join(secrets.choice(_LETTERS) for _ in range(16))
    account_id = connection.execute(
        insert(account)
        .values(
            email=email,
            name=name,
            role=Role(role),
            all_stores=all_stores,
            password_hash=hash_password(password),
            must_change_password=True,
        )
        .returning(account.c.id)
    ).scalar_one()
    for page_id in dict.fromkeys(page_ids):
        connection.execute(insert(account_page).values(account_id=account_id, checkout_page_id=page_id))
    connection.execute(
        insert(audit_log).values(
            action="create account", details={"account": account_id, "role": Role(role), "by": "command line"}
        )
    )
    return password
