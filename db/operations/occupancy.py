"""Whether a database holds anything, asked as its owner; the launcher decides by it about the demo data."""

import re
from dataclasses import dataclass

import psycopg


@dataclass(frozen=True)
class Occupancy:
    """Whether there is any account or order, and the e-mail addresses of the demo's accounts."""

    is_empty: bool
    demo_accounts: tuple[str, ...]


def occupancy(owner_url: str) -> Occupancy:
    """Examine a migrated database. Only one that never had an account or an order counts as empty."""
    url = re.sub(r"^postgresql\+psycopg:", "postgresql:", owner_url)
    with psycopg.connect(url, connect_timeout=10) as connection:
        used = connection.execute(
            # The first administrator does not count until they have signed in.
            "SELECT EXISTS (SELECT FROM account WHERE NOT (email = 'admin@localhost' AND must_change_password)) "
            "OR EXISTS (SELECT FROM orders)"
        ).fetchone()
        demo = connection.execute(
            r"SELECT email FROM account WHERE email LIKE '%@demo.example' ORDER BY id"
        ).fetchall()
    return Occupancy(is_empty=used == (False,), demo_accounts=tuple(str(row[0]) for row in demo))
