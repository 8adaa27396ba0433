"""The way of an action that a shop or a provider has to confirm: recorded here, sent, and what came back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from db.schema.connection_states import AwaitedKind, AwaitedState
from pages.rendering.formatting import format_clock, format_time
from services.events.awaiting import AwaitedAction
from services.orders.models import Subscription

SUBSCRIPTION_KINDS: Final = frozenset({AwaitedKind.CANCEL_SUBSCRIPTION, AwaitedKind.RESUME_SUBSCRIPTION})
_RECORDED: Final = {
    AwaitedKind.CANCEL_SUBSCRIPTION: "Cancellation recorded here",
    AwaitedKind.RESUME_SUBSCRIPTION: "Resumption recorded here",
    AwaitedKind.REFUND: "Refund recorded here",
    AwaitedKind.REISSUE_LICENCE: "New code asked for here",
}
_ANSWERS: Final = {
    AwaitedState.CONFIRMED: "confirmed by",
    AwaitedState.REFUSED: "refused by",
    AwaitedState.NOT_DELIVERED: "not delivered to",
}
_TONES: Final = {
    AwaitedState.CONFIRMED: "done",
    AwaitedState.REFUSED: "refused",
    AwaitedState.NOT_DELIVERED: "refused",
}


class Step(NamedTuple):
    """One step in words, with its time and the other side's reason.

    `tone` is "done", "refused", "waiting" or empty.
    """

    label: str
    time: str
    tone: str = ""
    message: str | None = None


class Way(NamedTuple):
    """The steps of an action so far, and what follows from where it is, in a sentence or two."""

    steps: tuple[Step, ...]
    hint: str


def subscription_ways(actions: Iterable[AwaitedAction], subscription_id: str, zone: ZoneInfo) -> list[Way]:
    """The ways of a subscription's actions, newest first as `actions` are."""
    return _ways((action for action in actions if action.kind in SUBSCRIPTION_KINDS), subscription_id, zone)


def code_ways(actions: Iterable[AwaitedAction], code: str, zone: ZoneInfo) -> list[Way]:
    """The ways of what was asked for in place of an activation code, newest first as `actions` are."""
    own = [
        action
        for action in actions
        if action.kind is AwaitedKind.REISSUE_LICENCE and action.wish.get("code") == code
    ]
    return [Way(_steps(action, zone), "" if number else _hint(action)) for number, action in enumerate(own)]


def is_awaited_elsewhere(actions: Iterable[AwaitedAction], subscription: Subscription) -> bool:
    """Whether a change waits that was recorded in another order of the subscription."""
    own = {action.subject for action in actions if action.is_open and action.kind in SUBSCRIPTION_KINDS}
    return subscription.is_awaited and subscription.subscription_id not in own


def refund_ways(actions: Iterable[AwaitedAction], request_id: int, zone: ZoneInfo) -> list[Way]:
    """The ways of a refund request's attempts, newest first as `actions` are."""
    return _ways((action for action in actions if action.kind is AwaitedKind.REFUND), str(request_id), zone)


def _ways(actions: Iterable[AwaitedAction], subject: str, zone: ZoneInfo) -> list[Way]:
    own = [action for action in actions if action.subject == subject]
    # What follows from an older one has been overtaken.
    return [Way(_steps(action, zone), "" if number else _hint(action)) for number, action in enumerate(own)]


def _steps(action: AwaitedAction, zone: ZoneInfo) -> tuple[Step, ...]:
    steps = [Step(_RECORDED[action.kind], format_time(action.recorded_at, zone))]
    if action.sent_at is not None:
        steps.append(Step(f"sent to {action.asked}", _later(action, action.sent_at, zone)))
    if action.answered_at is not None:
        message = None if action.state is AwaitedState.CONFIRMED else action.message
        at = _later(action, action.answered_at, zone)
        steps.append(Step(f"{_ANSWERS[action.state]} {action.asked}", at, _TONES[action.state], message))
    elif action.state is AwaitedState.RECORDED:
        steps.append(Step(f"waits to be sent to {action.asked}", "", "waiting"))
    else:
        steps.append(Step(f"waits for the answer of {action.asked}", "", "waiting"))
    return tuple(steps)


def _hint(action: AwaitedAction) -> str:
    if action.is_open and action.kind is AwaitedKind.REFUND:
        return "Until then nobody can take or close the request."
    if action.is_open and action.kind is AwaitedKind.REISSUE_LICENCE:
        return "Until the answer brings the new code, this one stays."
    if action.is_open:
        return "It counts once the answer is there; until then it can be neither cancelled nor resumed."
    return "It can be done again." if action.state is AwaitedState.NOT_DELIVERED else ""


def _later(action: AwaitedAction, at: datetime, zone: ZoneInfo) -> str:
    """The clock alone for what happened on the day on which the action was recorded."""
    is_same_day = action.recorded_at.astimezone(zone).date() == at.astimezone(zone).date()
    return format_clock(at, zone) if is_same_day else format_time(at, zone)
