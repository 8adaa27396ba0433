"""`python -m bench.sign_in`: whether the time that a refused sign-in takes tells why it was refused.

Medians of 200 each, in turn, on a database of its own.
"""

import statistics
import time

from sqlalchemy import text

from bench.database import own_database
from db.connections.engine import jobs_transaction
from services.authentication import passwords, sessions

ROUNDS = 200
PASSWORD = "correct horse 7"
# What the account is like, and the password that is tried; no account where there is no state.
CASES = {
    "wrong password": ("locked_until = NULL", "another horse 7"),
    "unknown login": (None, PASSWORD),
    "locked": ("locked_until = now() + interval '1 day'", PASSWORD),
    "disabled": ("disabled_at = now()", PASSWORD),
    "one-time password has run out": ("one_time_until = now() - interval '1 day'", PASSWORD),
}


def main() -> None:
    with own_database():
        logins = {case: make(number, state) for number, (case, (state, _)) in enumerate(CASES.items())}
        times: dict[str, list[float]] = {case: [] for case in CASES}
        for _ in range(ROUNDS):
            for case, (_, password) in CASES.items():
                with (
                    jobs_transaction() as connection
                ):  # so that wrong passwords lock nobody, and no network pauses
                    connection.execute(text("UPDATE account SET failed_sign_ins = 0"))
                    connection.execute(text("DELETE FROM sign_in_attempt"))
                start = time.perf_counter()
                assert sessions.check_password(logins[case], password, address=None) is None
                times[case].append((time.perf_counter() - start) * 1000)
    first = statistics.median(times["wrong password"])
    print(
        f"\nRefused sign-ins, medians of {ROUNDS} each, in turn\n\n| case | ms | of the first |\n|---|---|---|"
    )
    for case, found in times.items():
        print(f"| {case} | {statistics.median(found):.1f} | {statistics.median(found) / first:.3f} |")


def make(number: int, state: str | None) -> str:
    login = f"somebody-{number}@bench.example"
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
