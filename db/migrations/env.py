"""Alembic's entry: run on the connection that db.schema.migrate hands over, one transaction per migration."""

from alembic import context

from db.schema.all_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=True,
    compare_type=True,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
