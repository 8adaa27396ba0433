"""The shop's answers to requests for a new activation code (decision 033). Run as the jobs' role."""

from typing import Final

from sqlalchemy import Connection, func

from db.schema.order_tables import activation_code
from services.access import RecordedAuthor
from services.errors import InvalidInput
from services.events.awaiting import AwaitedAction, NotCarriedOut
from services.order_actions.code_replacement import check_new_code, replace_code
from services.order_actions.licences import LicenceCode, find_codes
from services.order_actions.locking import LockedOrder, lock_order_rows
from services.text.keys import search_key

CODE_FIELD: Final = "data.code"


def name_of_reissue(action: AwaitedAction) -> str:
    """What sentences call the request."""
    return f"new activation code for item {action.wish.get('position')}"


def lock_reissue(connection: Connection, action: AwaitedAction) -> LockedOrder | None:
    """Lock the order that the action was recorded for; None when it is gone."""
    return lock_order_rows(connection, [action.order_id]).get(action.order_id)


def carry_out_confirmed(
    connection: Connection,
    author: RecordedAuthor,
    order: LockedOrder,
    action: AwaitedAction,
    new_code: str | None,
) -> None:
    """Put the code that the answer brought in place of the old one.

    Raises `NotCarriedOut` when the old one is deleted or refunded by now, and `InvalidInput` (field `data.code`) for an
    answer without a code that can be used: the action goes on waiting for another answer.
    """
    if not new_code:
        raise InvalidInput("The answer to license.reissue must bring the new code.", field=CODE_FIELD)
    old = _find_replaced(connection, action, new_code)
    if old is None:
        raise NotCarriedOut("The old code is deleted or its item refunded by now.")
    try:
        check_new_code(connection, order.order_id, old.code_key, new_code, may_be_present=True)
    except InvalidInput as error:
        raise InvalidInput(str(error), field=CODE_FIELD) from error
    replace_code(
        connection,
        author,
        order,
        old,
        new_code,
        reason=str(action.wish.get("reason") or ""),
        confirmed_by=action.asked,
        told_before=action.connection_id,
    )


def _find_replaced(connection: Connection, action: AwaitedAction, new_code: str) -> LicenceCode | None:
    """The old code on an item that may have the new one; None when there is none.

    A document of the shop may have been faster, and have the new code where the old one was.
    """
    old_code = str(action.wish["code"])
    live = [
        code
        for code in find_codes(
            connection,
            action.order_id,
            activation_code.c.code_key.in_([func.fold(old_code), func.fold(new_code)]),
            ~activation_code.c.deleted,
        )
        if not code.refunded
    ]
    # False sorts first: the item that was asked for, and the old code before the new one.
    live.sort(key=lambda code: (code.code != old_code, code.position != action.wish.get("position")))
    if not live:
        return None
    return live[0]._replace(code=old_code, code_key=search_key(old_code) or old_code)
