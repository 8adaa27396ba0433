"""Mails to the account that acted, about an answer that it would not expect. Run as the jobs' role."""

from sqlalchemy import Connection, select

from db.schema.account_tables import account
from db.schema.statuses import MailKind
from services.events.awaiting import AwaitedAction
from services.mail.outbox import queue_mail
from services.order_actions.locking import LockedOrder


def mail_refused(
    connection: Connection, order: LockedOrder, action: AwaitedAction, action_name: str, message: str
) -> None:
    """The other side will not do it; `action_name` is what sentences call the action."""
    sentence = f"was refused by {action.asked}: {message}"
    _mail(connection, order, action, action_name, "was refused", sentence, "Nothing was changed.")


def mail_not_carried_out(
    connection: Connection, order: LockedOrder, action: AwaitedAction, action_name: str, reason: str
) -> None:
    """The other side has done it, and the order has changed too much since for it to be carried out here."""
    sentence = f"was confirmed by {action.asked} and could not be carried out here. {reason}"
    _mail(connection, order, action, action_name, "needs attention", sentence, "Please look at the order.")


def _mail(
    connection: Connection,
    order: LockedOrder,
    action: AwaitedAction,
    action_name: str,
    outcome: str,
    sentence: str,
    advice: str,
) -> None:
    """Queue the mail, unless the account was disabled or removed since."""
    email = connection.execute(
        select(account.c.email).where(account.c.id == action.account_id, account.c.disabled_at.is_(None))
    ).scalar_one_or_none()
    if email is None:
        return
    queue_mail(
        connection,
        kind=MailKind.ACTION,
        to_address=email,
        to_name=action.account_name,
        template_values={
            "action": action_name,
            "order_name": order.order_name,
            "outcome": outcome,
            "sentence": sentence,
            "advice": advice,
        },
        order_id=order.order_id,
        store_id=order.checkout_page_id,
        account_id=action.account_id,
    )
