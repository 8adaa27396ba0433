"""`python -m bench.sign_in`: whether the time of a refused sign-in reveals why it was refused.

Medians of 200 sign-ins per case, in turn, on a database of its own.
"""

import statistics
import time

from sqlalchemy import text

from bench.database import own_database
from db.connections.engine import jobs_transaction
from services.authentication import passwords, sessions

ROUNDS = 200
PASSWORD = "correct horse 7"
# The state of the account as SQL, and the password to try; without a state there is no account.
CASES = {
    "wrong password": ("locked_until = NULL", "another horse 7"),
    "unknown login": (None, PASSWORD),
    "locked": ("locked_until = now() + interval '1 day'", PASSWORD),
    "disabled": ("disabled_at = now()", PASSWORD),
    "one-time password has run out": ("one_time_until = now() - interval '1 day'", PASSWORD),
}


def main() -> None:
    with own_database():
        logins = {case: make_login(number, state) for number, (case, (state, _)) in enumerate(CASES.items())}
        times: dict[str, list[float]] = {case: [] for case in CASES}
        for _ in range(ROUNDS):
            for case, (_, password) in CASES.items():
                # Wrong passwords must not lock an account, nor make its network wait.
                with jobs_transaction() as connection:
                    connection.execute(text("UPDATE account SET failed_sign_ins = 0"))
                    connection.execute(text("DELETE FROM sign_in_attempt"))
                start = time.perf_counter()
                assert sessions.check_password(logins[case], password, address=None) is None
                times[case].append((time.perf_counter() - start) * 1000)
    first = statistics.median(times["wrong password"])
    print(
        f"\nRefused sign-ins, medians of {ROUNDS} each, in turn\n\n| case | ms | of the first |\n|---|---|---|"
    )
    for case, milliseconds in times.items():
        print(
            f"| {case} | {statistics.median(milliseconds):.1f} | {statistics.median(milliseconds) / first:.3f} |"
        )


def make_login(number: int, state: str | None) -> str:
    """The login of a new account in this state, or without a state one that no account has."""
    login = f"person-{number}@bench.example"
    if state is not None:
        with jobs_transaction() as connection:
            connection.execute(
                text(
                    "INSERT INTO account (email, name, role, password_hash, must_change_password) "
                    "VALUES (:login, 'x', 'specialist', :hash, false)"
                ),
                {"login": login, "hash": passwords.hash_password(PASSWORD)},
            )
            connection.execute(text(f"UPDATE account SET {state} WHERE email = :login"), {"login": login})
    return login


if __name__ == "__main__":
    main()
