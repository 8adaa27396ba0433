"""Import many accounts from a CSV file: a preview first, then all of them or none."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from db.schema.account_tables import account, team
from db.schema.audit_actions import AuditAction
from services.access import Role, Viewer, require_administrator
from services.accounts.administration import Grants, create_account
from services.accounts.creation import checked_email, checked_name
from services.actions import ActionResult, action
from services.errors import Conflict, InvalidInput
from services.mail.addresses import Utf8
from services.mail.server_state import find_utf8_for
from services.text.keys import strip_edges

COLUMNS: Final = ("email", "name", "role", "teams")
# Each account costs a bcrypt.
MOST_ROWS: Final = 200
_MOST_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A line of the file, and what is wrong with it (None: nothing). `teams` are names."""

    line: int
    email: str
    name: str
    role: str
    teams: tuple[str, ...]
    problem: str | None


def preview_accounts(connection: Connection, viewer: Viewer, content: bytes) -> tuple[ImportRow, ...]:
    """The accounts that the file asks for, line by line. Nothing is changed.

    The file is UTF-8 CSV with a first line that names the columns email, name, role and teams (names separated by
    semicolons; may be left out), separated by commas or semicolons. Raises `NotAllowed`, and `InvalidInput` (field
    `file`) for one that cannot be read.
    """
    require_administrator(viewer)
    lines = _lines(content)
    emails = [strip_edges(line["email"]) for _, line in lines]
    keys = func.unnest(literal(emails, ARRAY(Text))).column_valued("given")
    taken = set(
        connection.execute(
            select(keys).join(account, account.c.email_key == func.email_key(keys)).distinct()
        ).scalars()
    )
    folded = (
        dict(zip(emails, connection.execute(select(func.email_key(keys))).scalars(), strict=True))
        if emails
        else {}
    )
    teams = {name for (name,) in connection.execute(select(team.c.name))}
    utf8 = find_utf8_for(connection, emails)
    seen: set[str] = set()
    rows = []
    for number, line in lines:
        row = _row(number, line, teams, utf8)
        key = folded[row.email]
        problem = row.problem
        if problem is None and row.email in taken:
            problem = "There is an account with this e-mail already."
        if problem is None and key in seen:
            problem = "This e-mail is in the file twice."
        seen.add(key)
        rows.append(ImportRow(row.line, row.email, row.name, row.role, row.teams, problem))
    return tuple(rows)


@action(AuditAction.IMPORT_ACCOUNTS)
def import_accounts(connection: Connection, viewer: Viewer, content: bytes) -> ActionResult:
    """Create one account per line and mail each its one-time password; a single bad line stops all of them.

    Raises as `preview_accounts` does, and `Conflict` when a line cannot be used.
    """
    rows = preview_accounts(connection, viewer, content)
    bad = next((row for row in rows if row.problem), None)
    if bad is not None:
        raise Conflict(f"Line {bad.line}: {bad.problem} Nothing was imported.")
    names = sorted({name for row in rows for name in row.teams})
    ids = dict(
        connection.execute(
            select(team.c.name, team.c.id).where(team.c.name == any_(literal(names, ARRAY(Text))))
        ).all()
    )
    for row in rows:
        grants = Grants(Role(row.role), teams=tuple(ids[name] for name in row.teams))
        create_account(connection, viewer, email=row.email, name=row.name, grants=grants)
    counted = f"{len(rows)} account{'' if len(rows) == 1 else 's'}"
    return ActionResult(f"{counted} created. Everybody is mailed how to sign in.", {"accounts": len(rows)})


def _lines(content: bytes) -> list[tuple[int, Mapping[str, str]]]:
    if len(content) > _MOST_BYTES:
        raise InvalidInput("The file is larger than a megabyte.", field="file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput("The file is not UTF-8. Save it as “CSV UTF-8”.", field="file") from error
    first = text.partition("\n")[0]
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ","
    )
    try:
        names = [(name or "").strip().casefold() for name in reader.fieldnames or ()]
        missing = [name for name in COLUMNS[:3] if name not in names]
        if missing:
            raise InvalidInput(
                f"The first line has to name the columns {', '.join(COLUMNS)}; {missing[0]} is missing.",
                field="file",
            )
        reader.fieldnames = names
        lines: list[tuple[int, Mapping[str, str]]] = [
            (reader.line_num, {name: line.get(name) or "" for name in COLUMNS})
            for line in reader
            if any(isinstance(value, str) and value.strip() for value in line.values())
        ]
    except csv.Error as error:
        raise InvalidInput(f"The file cannot be read: {error}.", field="file") from error
    if not lines:
        raise InvalidInput("The file names no account.", field="file")
    if len(lines) > MOST_ROWS:
        raise InvalidInput(f"The file names more than {MOST_ROWS} accounts. Split it.", field="file")
    return lines


def _row(number: int, line: Mapping[str, str], existing_teams: set[str], utf8: Utf8) -> ImportRow:
    email, name = strip_edges(line["email"]), " ".join(line["name"].split())
    role = line["role"].strip().casefold().replace(" ", "_")
    teams = tuple(
        dict.fromkeys(team_name.strip() for team_name in line["teams"].split(";") if team_name.strip())
    )
    problem = None
    try:
        checked_email(email, utf8)
        checked_name(name)
    except InvalidInput as error:
        problem = str(error)
    unknown = next((team_name for team_name in teams if team_name not in existing_teams), None)
    if problem is None and role not in list(Role):
        problem = f"There is no role “{line['role'].strip()}”: {', '.join(Role)}."
    if problem is None and unknown is not None:
        problem = f"There is no team “{unknown}”."
    return ImportRow(number, email, name, role, teams, problem)
