"""The words that the tables of actions on many orders hold. The database's constraints allow exactly these."""

from enum import StrEnum


class BulkKind(StrEnum):
    """What is done with each order of a run."""

    REQUEST_REFUND = "request refund"
    RESEND_LICENCES = "resend licences"
    CANCEL_RENEWAL = "cancel renewal"
    RESUME_RENEWAL = "resume renewal"
    ADD_NOTE = "add note"
    CANCEL_UNPAID = "cancel unpaid order"


class BulkState(StrEnum):
    """The state of a run. A person stopped it, or the portal ended it: its account may no longer act."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    ENDED = "ended"


class BulkOrderState(StrEnum):
    """The result of an order in a run. Refused: a rule of the action did not allow it."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
