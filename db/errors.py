"""What somebody asked for and did not get, as far as the database decides it. services/errors.py has the rest."""


class SupportError(Exception):
    """A request that could not be carried out, and why, in one sentence."""

    message = "This could not be done."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).message)

    def __str__(self) -> str:
        return str(self.args[0])


class NotAllowed(SupportError):
    """The thing is inside the viewer's scope, but this account may not do that with it."""

    message = "Your account may not do this."


class AccountUnusable(NotAllowed):
    """The account was disabled, or its session has ended, perhaps in the middle of what it was doing."""

    message = "This account cannot be used any more, or you are signed out. Nothing was changed."
