"""Shared by the modules of tables: the catalogue that they register in, and the type of a moment.

The migrations under `db/migrations/sql` make the tables, constraints and row-level security included; the modules
`*_tables.py` describe them for building statements, and tests/db/schema/test_migrations.py compares the two.
"""

from typing import Final

from sqlalchemy import MetaData
from sqlalchemy.dialects.postgresql import TIMESTAMP

metadata: Final = MetaData()
TIMESTAMPTZ: Final = TIMESTAMP(timezone=True)
