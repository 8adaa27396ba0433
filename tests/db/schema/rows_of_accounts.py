"""Rows of the tables that belong to one account each, for tests of who reads them."""

from db.connections.viewers import SignedIn
from tests.support import factories


def make_own_rows(account_id: SignedIn, name: str) -> None:
    """A row of the account in each table; its views are those of the team that it is in."""
    for statement in (
        (
            "INSERT INTO saved_search (key, account_id, filters_digest, filters) VALUES "
            "('key-of-' || CAST(:name AS text) || '-0', :id, sha256(CAST(CAST(:name AS text) AS bytea)), '{}')"
        ),
        "INSERT INTO action_key (key, account_id, action) VALUES (gen_random_uuid(), :id, 'add note')",
        "INSERT INTO export_run (id, account_id, row_kind, format) VALUES (gen_random_uuid(), :id, 'order', 'csv')",
        (
            "WITH run AS (INSERT INTO bulk_run (account_id, kind, order_count) VALUES (:id, 'add note', 1) "
            "RETURNING id) INSERT INTO bulk_run_order (run_id, number, order_id) SELECT id, 1, 1 FROM run"
        ),
        (
            "INSERT INTO order_view (account_id, team_id, name, filters) "
            "SELECT m.account_id, m.team_id, 'v', '{}' FROM team_member m WHERE m.account_id = :id"
        ),
        "INSERT INTO order_view_place SELECT account_id, id, 0 FROM order_view WHERE account_id = :id",
        "INSERT INTO opened_orders SELECT :id, array_agg(order_id) FROM orders",
    ):
        values = {"name": name} if ":name" in statement else {}
        factories.run(statement, id=account_id, **values)
