"""The way of an action that a shop or a provider has to confirm: recorded here, sent, and what came back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from pages.rendering.formatting import format_clock, format_time
from services.events.awaiting import AwaitedAction, AwaitedKind, AwaitedState

_RECORDED: Final = {
    AwaitedKind.CANCEL_SUBSCRIPTION: "Cancellation recorded here",
    AwaitedKind.RESUME_SUBSCRIPTION: "Resumption recorded here",
    AwaitedKind.REFUND: "Refund recorded here",
}
_TONES: Final = {
    AwaitedState.CONFIRMED: "done",
    AwaitedState.REFUSED: "refused",
    AwaitedState.NOT_DELIVERED: "refused",
}


class Step(NamedTuple):
    """One step in words, with its time; `tone` is "done", "refused", "waiting" or empty."""

    label: str
    time: str
    tone: str = ""


class Way(NamedTuple):
    """The steps of an action so far, and what follows from where it is, in a sentence or two."""

    steps: tuple[Step, ...]
    hint: str


def subscription_ways(actions: Iterable[AwaitedAction], subscription_id: str, zone: ZoneInfo) -> list[Way]:
    """The ways of a subscription's actions, in the order given."""
    return [
        _way(action, zone)
        for action in actions
        if action.kind is not AwaitedKind.REFUND and action.subject == subscription_id
    ]


def refund_ways(actions: Iterable[AwaitedAction], request_id: int, zone: ZoneInfo) -> list[Way]:
    """The ways of a refund request's attempts, in the order given."""
    return [
        _way(action, zone)
        for action in actions
        if action.kind is AwaitedKind.REFUND and action.subject == str(request_id)
    ]


def _way(action: AwaitedAction, zone: ZoneInfo) -> Way:
    steps = [Step(_RECORDED[action.kind], format_time(action.recorded_at, zone))]
    if action.sent_at is not None:
        steps.append(Step(f"sent to {action.asked}", _later(action, action.sent_at, zone)))
    if action.answered_at is not None:
        steps.append(Step(_answer(action), _later(action, action.answered_at, zone), _TONES[action.state]))
    elif action.state is AwaitedState.RECORDED:
        steps.append(Step(f"waits to be sent to {action.asked}", "", "waiting"))
    else:
        steps.append(Step(f"waits for the answer of {action.asked}", "", "waiting"))
    return Way(tuple(steps), _hint(action))


def _answer(action: AwaitedAction) -> str:
    message = f": {action.message}" if action.message else ""
    if action.state is AwaitedState.CONFIRMED:
        return f"confirmed by {action.asked}"
    if action.state is AwaitedState.REFUSED:
        return f"refused by {action.asked}{message}"
    return f"not delivered to {action.asked}{message}"


def _hint(action: AwaitedAction) -> str:
    if action.is_open and action.kind is AwaitedKind.REFUND:
        return "Nobody can take or close the request until then."
    if action.is_open:
        return "It counts once the answer is there; until then it can be neither cancelled nor resumed."
    return "It can be done again." if action.state is AwaitedState.NOT_DELIVERED else ""


def _later(action: AwaitedAction, at: datetime, zone: ZoneInfo) -> str:
    """The clock alone for what happened on the day on which the action was recorded."""
    is_same_day = action.recorded_at.astimezone(zone).date() == at.astimezone(zone).date()
    return format_clock(at, zone) if is_same_day else format_time(at, zone)
