"""Whether the other side accepts a connection's credentials: asked by a call that changes nothing there."""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import Connection

from db.connections.engine import jobs_transaction
from db.schema.audit_actions import AuditAction
from db.schema.connection_states import ConnectionKind, Purpose
from services.access import Viewer
from services.actions import ActionResult, action
from services.connections.listing import ListedConnection, get_connection
from services.connections.secrets import find_secrets
from services.errors import Conflict
from services.executors.stripe import check_key
from services.noventiq.api import ApiError, NoventiqApi, find_credentials
from services.noventiq.tokens import Tokens


@action(AuditAction.TEST_CONNECTION)
def check_credentials(connection: Connection, viewer: Viewer, connection_id: int) -> ActionResult:
    """Log in at the provider with the newest credentials of the connection; the sentence says what came of it.

    Raises `NotAllowed`, `ConnectionNotFound`, and `Conflict` when they are not accepted or no answer came.
    """
    listed = get_connection(connection, viewer, connection_id)
    check = _CHECKS.get(listed.kind)
    if check is None:
        raise Conflict("This connection has no credentials of another side.")
    with jobs_transaction() as jobs:
        secrets = find_secrets(jobs, connection_id, Purpose.API)
    return ActionResult(
        check(listed, secrets), {"connection": connection_id, "store": listed.store, "credentials": True}
    )


def has_check(kind: ConnectionKind) -> bool:
    """Whether credentials of this kind can be tried."""
    return kind in _CHECKS


def _noventiq(listed: ListedConnection, secrets: tuple[str, ...]) -> str:
    credentials = find_credentials(listed.id, listed.options, secrets)
    if credentials is None:
        raise Conflict("This connection has no user name and password of Noventiq's API.")
    try:
        # With tokens of its own: one that was given before would prove nothing about the password.
        NoventiqApi(credentials, tokens=Tokens()).check_login()
    except ApiError as error:
        raise Conflict(str(error)) from error
    return "Noventiq accepts the user name and the password."


def _stripe(listed: ListedConnection, secrets: tuple[str, ...]) -> str:
    if not secrets:
        raise Conflict("This connection has no key of Stripe's.")
    refusal = check_key(secrets[0], listed.options)
    if refusal is not None:
        raise Conflict(refusal)
    state = listed.secrets.get(Purpose.API)
    mode = " It is one of test mode: no money moves." if state and state.is_test else ""
    return f"Stripe accepts the key, and it may read refunds.{mode}"


_CHECKS: Final[Mapping[ConnectionKind, Callable[[ListedConnection, tuple[str, ...]], str]]] = {
    ConnectionKind.NOVENTIQ: _noventiq,
    ConnectionKind.STRIPE: _stripe,
}
