"""Rows that belong to an account, and those of a store's settings, for tests of who reads them."""

from tests.support import factories


def make_texts() -> None:
    """A text of each store in place of a built-in one."""
    factories.run(
        "INSERT INTO mail_text (checkout_page_id, kind, language, subject, body) "
        "SELECT id, 'full', 'en', 's', 'b' FROM checkout_page"
    )


def make_own_rows(account_id: int, name: str) -> None:
    """A row of each table that holds what is somebody's own."""
    factories.run(
        "INSERT INTO saved_search (key, account_id, filters_digest, filters) "
        "VALUES (:key, :id, sha256(CAST(CAST(:key AS text) AS bytea)), CAST('{}' AS jsonb))",
        id=account_id, key=f"key-of-{name}-0",
    )  # fmt: skip
    factories.run(
        "INSERT INTO refund_digest (account_id, every, time_zone, next_at) VALUES (:id, 'hour', 'UTC', now())",
        id=account_id,
    )
    factories.run(
        "INSERT INTO action_key (key, account_id, action) VALUES (gen_random_uuid(), :id, 'add note')",
        id=account_id,
    )
    factories.run(
        "INSERT INTO export_run (id, account_id, row_kind, format) "
        "VALUES (gen_random_uuid(), :id, 'order', 'csv')",
        id=account_id,
    )
    factories.run(
        "WITH run AS (INSERT INTO bulk_run (account_id, kind, order_count) VALUES (:id, 'add note', 1) "
        "RETURNING id) INSERT INTO bulk_run_order (run_id, number, order_id) SELECT id, 1, 1 FROM run",
        id=account_id,
    )
    # The views of the team that it is in.
    factories.run(
        "WITH view AS (INSERT INTO order_view (account_id, team_id, name, filters) "
        "SELECT m.account_id, m.team_id, 'v', '{}' FROM team_member m WHERE m.account_id = :id RETURNING id) "
        "INSERT INTO order_view_place SELECT :id, id, 0 FROM view",
        id=account_id,
    )
    factories.run("INSERT INTO opened_orders SELECT :id, array_agg(order_id) FROM orders", id=account_id)
