"""`python -m services.accounts create-admin --email …` creates an administrator and prints a one-time password; `…
unlock --email …` ends a lock.
"""

import argparse
import sys

from sqlalchemy import insert, text
from sqlalchemy.exc import OperationalError

from db.connections.engine import (
    dispose_engines,
    jobs_transaction,
    owner_url,
)
from db.embedded.local_secrets import DataFolderError
from db.embedded.server import EmbeddedDatabaseError
from db.environment import SettingsError
from db.schema.audit_actions import AuditAction
from db.schema.migrate import migrate
from db.schema.portal_tables import audit_log
from services.access import Role
from services.accounts.creation import create_account
from services.errors import InvalidInput, SupportError
from services.settings import settings


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m services.accounts")
    commands = parser.add_subparsers(required=True, metavar="command", dest="command")
    create = commands.add_parser("create-admin", help="makes an administrator and prints a one-time password")
    create.add_argument("--email", required=True)
    create.add_argument("--name", default="Administrator")
    end_lock = commands.add_parser("unlock", help="ends the lock of five wrong passwords")
    end_lock.add_argument("--email", required=True)
    options = parser.parse_args(arguments)
    try:
        migrate(owner_url())
        print(_create_administrator(options) if options.command == "create-admin" else unlock(options.email))
    except (SupportError, SettingsError, EmbeddedDatabaseError, DataFolderError) as error:
        print(error, file=sys.stderr)
        return 1
    except OperationalError as error:
        print(f"The database does not answer: {error.orig}", file=sys.stderr)
        return 1
    finally:
        dispose_engines()
    return 0


def _create_administrator(options: argparse.Namespace) -> str:
    with jobs_transaction() as connection:
        password = create_account(connection, email=options.email, name=options.name, role=Role.ADMINISTRATOR)
    if not settings().sign_in.passwords:
        return f"{options.email} signs in at {settings().web.base_url} through your provider."
    return f"One-time password for {options.email}, good for 72 hours: {password}"


def unlock(email: str) -> str:
    """Unlock an account, for an administrator whom strangers' guesses keep out and who has no other browser."""
    with jobs_transaction() as connection:
        account_id = connection.execute(
            text(
                "UPDATE account SET failed_sign_ins = 0, locked_until = NULL WHERE email_key = login_key(:email) "
                "RETURNING id"
            ),
            {"email": email},
        ).scalar_one_or_none()
        if account_id is None:
            raise InvalidInput(f"There is no account with the e-mail {email}.", field="email")
        connection.execute(
            text("UPDATE known_device SET failed_sign_ins = 0, locked_until = NULL WHERE account_id = :id"),
            {"id": account_id},
        )
        details = {"account": account_id, "by": "command line"}
        connection.execute(insert(audit_log).values(action=AuditAction.UNLOCK_ACCOUNT, details=details))
    return f"{email} can sign in again."
