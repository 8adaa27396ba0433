"""Changes by administrators to the ways in which accounts sign in: second factors and single sign-on."""

from sqlalchemy import Connection, delete, select, update

from db.schema.account_tables import account, role_rule, single_sign_on_identity
from db.schema.audit_actions import AuditAction
from services.access import Role, Viewer, require_administrator
from services.accounts.listing import get_account
from services.actions import ActionResult, action
from services.authentication.security_mails import Owner, notify_owner_of_reset
from services.errors import AccountNotFound, Conflict


@action(AuditAction.REQUIRE_SECOND_FACTOR)
def require_for(connection: Connection, viewer: Viewer, *, roles: frozenset[Role]) -> ActionResult:
    """Set the roles that must have a second factor; accounts without one have to set it up at their next click.

    Raises `NotAllowed`.
    """
    require_administrator(viewer)
    for role in Role:
        connection.execute(
            update(role_rule).where(role_rule.c.role == role).values(second_factor_required=role in roles)
        )
    names = ", ".join(sorted(roles)) or "nobody"
    return ActionResult(
        f"A second factor is required of: {names.replace('_', ' ')}.", {"roles": sorted(roles)}
    )


@action(AuditAction.RESET_SECOND_FACTOR)
def reset_second_factor(connection: Connection, viewer: Viewer, account_id: int) -> ActionResult:
    """Remove the second factor of a person who has lost their device and recovery codes; a mail tells them.

    Raises `NotAllowed`, `AccountNotFound`, `Conflict`.
    """
    require_administrator(viewer)
    account_row = connection.execute(
        select(account.c.email, account.c.name, account.c.time_zone, account.c.has_second_factor).where(
            account.c.id == account_id
        )
    ).one_or_none()
    if account_row is None:
        raise AccountNotFound
    if not account_row.has_second_factor:
        raise Conflict("This account has no second factor.")
    connection.execute(
        update(account).where(account.c.id == account_id).values(totp_secret=None, totp_last_step=None)
    )
    notify_owner_of_reset(
        connection, account_id, Owner(account_row.email, account_row.name, account_row.time_zone)
    )
    return ActionResult(f"The second factor of {account_row.name} was removed.", {"account": account_id})


@action(AuditAction.UNLINK_SINGLE_SIGN_ON)
def unbind_single_sign_on(connection: Connection, viewer: Viewer, account_id: int) -> ActionResult:
    """Unbind the account, so that the next single sign-on binds it anew; sessions that the old one opened end.

    Raises `NotAllowed`, `AccountNotFound`, `Conflict`.
    """
    owner = get_account(connection, viewer, account_id)
    of_account = single_sign_on_identity.c.account_id == account_id
    if connection.execute(delete(single_sign_on_identity).where(of_account)).rowcount == 0:
        raise Conflict("This account is not linked to a single sign-on.")
    return ActionResult(f"The single sign-on of {owner.name} was unlinked.", {"account": account_id})
