"""One definition of a text: edges, keys, digits, domains."""

from db.migrations.support import run_sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_sql("0012_texts.sql")
