"""Write the functions and policies that a migrated database has in force, one file each.

`DATABASE_URL=… python -m db.schema.snapshot` rewrites `db/schema/functions/` and `db/schema/policies/` from the
database at that address (the owner's), which must be migrated.
"""

import os
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, create_engine, text

FOLDER: Final = Path(__file__).parent

# Extensions have functions of their own, which are not the portal's.
_FUNCTIONS: Final = text("""
    SELECT CASE p.pronamespace WHEN 'public'::regnamespace THEN '' ELSE 'api.' END || p.proname AS name,
           pg_get_function_identity_arguments(p.oid) AS arguments, pg_get_functiondef(p.oid) AS definition
    FROM pg_proc p
    WHERE p.pronamespace IN ('public'::regnamespace, to_regnamespace('api')) AND p.prokind IN ('f', 'p')
        AND NOT EXISTS (SELECT FROM pg_depend d
            WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    ORDER BY p.pronamespace::regnamespace::text COLLATE "C", p.proname COLLATE "C",
        pg_get_function_identity_arguments(p.oid) COLLATE "C"
""")
_POLICIES: Final = text("""
    SELECT tablename AS table, policyname AS name, permissive, array_to_string(roles, ', ') AS roles, cmd AS command,
           qual AS using, with_check
    FROM pg_policies WHERE schemaname = 'public'
    ORDER BY tablename COLLATE "C", policyname COLLATE "C"
""")


def current_files(connection: Connection) -> dict[str, str]:
    """The text of every file by its path below `db/schema/`; a function with several signatures fills one file."""
    parts: dict[str, list[str]] = {}
    for function in connection.execute(_FUNCTIONS):
        parts.setdefault(f"functions/{function.name}.sql", []).append(f"{function.definition.strip()};\n")
    for policy in connection.execute(_POLICIES):
        lines = [f"CREATE POLICY {policy.name} ON {policy.table}"]
        if policy.permissive != "PERMISSIVE":
            lines.append(f"    AS {policy.permissive}")
        lines.append(f"    FOR {policy.command} TO {policy.roles}")
        if policy.using is not None:
            lines.append(f"    USING ({policy.using})")
        if policy.with_check is not None:
            lines.append(f"    WITH CHECK ({policy.with_check})")
        parts.setdefault(f"policies/{policy.table}.sql", []).append("\n".join(lines) + ";\n")
    return {path: "\n".join(texts) for path, texts in parts.items()}


def written_files(folder: Path = FOLDER) -> dict[str, str]:
    """The files as they are, by their path below the folder; as bytes, because `fold()` has a carriage return."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode()
        for kind in ("functions", "policies")
        for path in sorted((folder / kind).glob("*.sql"))
    }


def write_files(current: dict[str, str], folder: Path = FOLDER) -> None:
    """Make the files equal to `current`; files of functions and tables that no longer exist are deleted."""
    for path in written_files(folder).keys() - current.keys():
        (folder / path).unlink()
    for path, content in current.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode())


def main() -> None:
    engine = create_engine(os.environ["DATABASE_URL"])
    try:
        with engine.connect() as connection:
            write_files(current_files(connection))
    finally:
        engine.dispose()


if __name__ == "__main__":
    main()
