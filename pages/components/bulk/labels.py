"""What the pages call the actions on many orders."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from db.schema.bulk_states import BulkKind, BulkState
from services.bulk.runs import BulkRun


class KindLabels(NamedTuple):
    """`menu` in the list of actions; `button` confirms; `effect` follows "For 12 orders,"; `text` labels its field."""

    menu: str
    button: str
    effect: str
    text: str


LABELS: Final[Mapping[BulkKind, KindLabels]] = {
    BulkKind.REQUEST_REFUND: KindLabels(
        "Request refunds", "Request refunds", "a refund will be requested", "Refund reason"
    ),
    BulkKind.RESEND_LICENCES: KindLabels(
        "Resend licences",
        "Send licences",
        "all activation codes that are not deleted will be mailed again",
        "",
    ),
    BulkKind.CANCEL_RENEWAL: KindLabels(
        "Cancel renewals", "Cancel renewals", "auto-renewal will be deactivated", "Reason (optional)"
    ),
    BulkKind.RESUME_RENEWAL: KindLabels(
        "Resume renewals", "Resume renewals", "auto-renewal will be activated again", "Reason (optional)"
    ),
    BulkKind.ADD_NOTE: KindLabels(
        "Add a note", "Add notes", "an internal note will be added", "Internal note"
    ),
    BulkKind.CANCEL_UNPAID: KindLabels(
        "Cancel unpaid orders", "Cancel orders", "the unpaid order will be cancelled", "Reason"
    ),
}


def orders_words(number: int) -> str:
    return f"{number:,} {'order' if number == 1 else 'orders'}"


def run_sentence(run: BulkRun) -> str:
    """How far a run is, or how it ended."""
    parts = [f"{run.done:,} done"]
    if run.refused:
        parts.append(f"{run.refused:,} not possible")
    if run.failed:
        parts.append(f"{run.failed:,} failed")
    if run.left:
        parts.append(f"{run.left:,} {'left' if run.is_running else 'left as they were'}")
    ends = {BulkState.STOPPED: "stopped: ", BulkState.ENDED: f"ended. {run.ended_because} "}
    return ends.get(run.state, "") + ", ".join(parts)
