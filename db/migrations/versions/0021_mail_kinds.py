"""The kinds of messages, named in the database as well."""

from db.migrations.support import add_words_check

revision = "0021"
down_revision = "0020"

# As they were when this migration was written; a later kind comes with a migration of its own.
KINDS = ("licence", "refund", "account", "password_reset", "password", "credentials")


def upgrade() -> None:
    add_words_check("mail", "kind", KINDS)
