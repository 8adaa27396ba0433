"""Create accounts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, func, insert, select, text

from db.schema.account_tables import account, account_page
from db.schema.audit_actions import AuditAction
from db.schema.order_tables import checkout_page
from db.schema.portal_tables import audit_log
from services.access import Role
from services.authentication.passwords import hash_password, one_time_password
from services.errors import Conflict, InvalidInput
from services.mail.addresses import Utf8, why_not_mailable
from services.mail.server_state import find_utf8_for
from services.settings import settings
from services.text.keys import strip_edges

# How long a one-time password is valid.
ONE_TIME_LIFE: Final = timedelta(hours=72)
FIRST_ADMINISTRATOR: Final = "admin@localhost"


def create_account(
    connection: Connection,
    *,
    email: str,
    name: str,
    role: Role | str,
    stores: Sequence[str] = (),
    all_stores: bool = False,
) -> str:
    """Make an account from the command line and return its one-time password, valid for 72 hours.

    The first sign-in must set another one. `connection` is a transaction of the jobs' role. Raises `InvalidInput` for
    an unusable e-mail or name and for a store that does not exist, `Conflict` when the e-mail has an account already.
    """
    store_ids = []
    for store in stores:
        page_id = connection.execute(
            select(checkout_page.c.id).where(checkout_page.c.name == store)
        ).scalar_one_or_none()
        if page_id is None:
            raise InvalidInput(f"There is no store named “{store}”.", field="stores")
        store_ids.append(page_id)
    account_id, password = add_account(
        connection, email=email, name=name, role=Role(role), all_stores=all_stores
    )
    for page_id in dict.fromkeys(store_ids):
        connection.execute(insert(account_page).values(account_id=account_id, checkout_page_id=page_id))
    connection.execute(
        insert(audit_log).values(
            action=AuditAction.CREATE_ACCOUNT,
            details={"account": account_id, "role": Role(role), "by": "command line"},
        )
    )
    return password


def create_first_administrator(connection: Connection) -> str | None:
    """Make `admin@localhost` on a database without any account and return its one-time password, else None.

    `connection` is a transaction of the jobs' role. When several processes start at once, one of them makes it. Where
    passwords are switched off it returns None as well: `python -m services.accounts create-admin` then makes an account
    for a known e-mail.
    """
    if not settings().sign_in.passwords:
        return None
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('esupport first administrator'))"))
    if connection.execute(select(account.c.id).limit(1)).first() is not None:
        return None
    return create_account(
        connection, email=FIRST_ADMINISTRATOR, name="Administrator", role=Role.ADMINISTRATOR
    )


def sign_in_instructions(email: str) -> str:
    """A sentence that says which mail the owner of a new account receives."""
    if settings().sign_in.passwords:
        return f"A one-time password is on its way to {email}."
    return f"A mail that says how to sign in is on its way to {email}."


def add_account(
    connection: Connection, *, email: str, name: str, role: Role, all_stores: bool
) -> tuple[int, str]:
    """The new account's ID and its one-time password. Raises as `create_account` does."""
    email, name = checked_email(email, find_utf8_for(connection, [email])), checked_name(name)
    existing = connection.execute(
        select(account.c.id).where(account.c.email_key == text("email_key(:email)")), {"email": email}
    ).scalar_one_or_none()
    if existing is not None:
        raise Conflict(f"There is an account with the e-mail {email} already.")
    password = one_time_password()
    account_id: int = connection.execute(
        insert(account)
        .values(
            email=email,
            name=name,
            role=role,
            all_stores=all_stores,
            password_hash=hash_password(password),
            must_change_password=True,
            one_time_until=func.now() + ONE_TIME_LIFE,
        )
        .returning(account.c.id)
    ).scalar_one()
    return account_id, password


def checked_email(email: str, utf8: Utf8) -> str:
    """The e-mail of a new account, checked. Raises `InvalidInput` (field `email`)."""
    email = strip_edges(email)
    if why_not := why_not_mailable(email, utf8):
        raise InvalidInput(why_not, field="email")
    return email


def checked_name(name: str) -> str:
    """The name of an account, checked. Raises `InvalidInput` (field `name`)."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 200 or not name.isprintable():
        raise InvalidInput("A name has 1 to 200 characters.", field="name")
    return name
