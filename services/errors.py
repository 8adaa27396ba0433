"""The errors that services raise, as facts.

The text of every error here is a sentence that a support person can act on; the pages show it as it is. Any other
exception is a defect: it is logged, and the page shows only a reference.
"""

from db.errors import AccountUnusable as AccountUnusable
from db.errors import NotAllowed as NotAllowed
from db.errors import SupportError as SupportError


class NotFound(SupportError):
    """The thing does not exist or is outside the viewer's scope; the answer is the same."""

    message = "There is nothing here that you can see."


class Conflict(SupportError):
    """The thing has changed in the meantime, or its state does not allow the action."""

    message = "This cannot be done now."


class InvalidInput(SupportError):
    """A typed or submitted value is not usable.

    `field` is the name of its field (as in the code, not the label), or None for the whole form.
    """

    message = "Please check what you entered."

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class AccountNotFound(NotFound):
    message = "There is no such account."


class OrderNotFound(NotFound):
    """The order does not exist or is not in the viewer's stores."""

    message = "There is no such order among the stores you can see."
