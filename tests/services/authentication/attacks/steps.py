"""Steps of an attack: attempts begun and finished, guesses, sign-ins."""

from typing import Any

from sqlalchemy import text

from db.connections.engine import anonymous_transaction
from services.authentication import passwords, sessions
from services.authentication.sessions import check_password

PASSWORD = "correct horse 7"
LOGIN = "anna@test.example"
SECRET = "A" * 32
HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"


def begin(login: str = LOGIN, network: str = "n", device: bytes | None = None) -> Any:
    with anonymous_transaction() as connection:
        return connection.execute(
            text("SELECT attempt, answer, salt FROM begin_attempt(:login, :network, :device)"),
            {"login": login, "network": network, "device": device},
        ).one()


def finish(begun: Any, password: str) -> int | None:
    computed = passwords.computed(password, begun.salt)
    with anonymous_transaction() as connection:
        account_id: int | None = connection.execute(
            text("SELECT finish_attempt(:attempt, :computed, NULL)"),
            {"attempt": begun.attempt, "computed": computed},
        ).scalar_one()
        return account_id


def guess(times: int, *, login: str = LOGIN, address: str | None = ELSEWHERE) -> None:
    for _ in range(times):
        assert check_password(login, "wrong", address=address) is None


def signs_in(address: str | None, device: str | None = None, login: str = LOGIN) -> bool:
    checked = check_password(login, PASSWORD, address=address, device=device)
    return checked is not None and bool(sessions.open_session(checked, address=address, device=device))


# --- Guesses.
