"""Accounts from a CSV file: what each line is told, and all or nothing."""

from uuid import uuid4

import pytest

from db.connections.engine import viewer_transaction
from services.accounts.csv_import import MOST_ROWS, ImportRow, import_accounts, preview_accounts
from services.actions import ActionRequest, perform
from services.authentication import passwords
from services.errors import Conflict, InvalidInput
from tests.support import factories
from tests.support.factories import run


@pytest.fixture(scope="module")
def admin(database: str) -> int:
    run("INSERT INTO team (name) VALUES ('East'), ('Süd')")
    return factories.account("admin", role="administrator")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)


def preview(admin: int, content: str | bytes) -> tuple[ImportRow, ...]:
    octets = content if isinstance(content, bytes) else content.encode()
    with viewer_transaction(admin) as connection:
        return preview_accounts(connection, factories.viewer(admin), octets)


def take(admin: int, content: str) -> str:
    request = ActionRequest(key=uuid4(), address=None)
    return perform(factories.viewer(admin), request, import_accounts, content.encode())


@pytest.mark.parametrize("separator", [",", ";"])
def test_accounts_with_roles_and_teams(separator: str, admin: int) -> None:
    teams = '"East; Süd"'
    name = f"i{separator == ','}"
    lines = (("\ufeffEmail", " name ", "ROLE", "teams"), (f"{name}@x.example", '"Weiß, Ina"', "Refund operator", teams),
             ("", "", "", ""), (f"{name}2@x.example", "Jo", "analyst", ""))  # fmt: skip
    content = "\r\n".join(separator.join(line) for line in lines)
    assert [row.problem for row in preview(admin, content)] == [None, None]
    assert take(admin, content) == "2 accounts created. Everybody is mailed how to sign in."
    rows = run(
        "SELECT a.name, a.role, (SELECT array_agg(t.name ORDER BY t.name) FROM team_member m "
        "JOIN team t ON t.id = m.team_id WHERE m.account_id = a.id) AS teams "
        "FROM account a WHERE email LIKE :like ORDER BY a.name",
        like=f"{name}%",
    )
    assert [tuple(row) for row in rows] == [
        ("Jo", "analyst", None), ("Weiß, Ina", "refund_operator", ["East", "Süd"]),
    ]  # fmt: skip
    assert run(
        "SELECT count(*) FROM mail WHERE to_address LIKE :like AND kind = 'account'", like=f"{name}%"
    ) == [(2,)]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("no address,A,analyst,", "cannot be sent to this"),
        ("a@x.example,,analyst,", "1 to 200 characters"),
        ("a@x.example,A,boss,", "no role “boss”"),
        ("a@x.example,A,analyst,West", "no team “West”"),
        ("ADMIN@test.example,A,analyst,", "account with this e-mail already"),
        ("GOOD@x.example,A,analyst,", "in the file twice"),
        ("a@x.example", "1 to 200 characters"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_nothing_is_done(line: str, problem: str, admin: int) -> None:
    content = f"email,name,role,teams\ngood@x.example,Good,analyst,\n{line}\n"
    good, bad = preview(admin, content)
    assert good.problem is None
    assert bad.problem is not None and problem in bad.problem and bad.line == 3
    with pytest.raises(Conflict, match=r"Line 3: .* Nothing was imported"):
        take(admin, content)
    assert run("SELECT 1 FROM account WHERE email = 'good@x.example'") == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"", "email is missing"),
        (b"email,name\n", "role is missing"),
        (b"email,name,role\n", "names no account"),
        (b"email,name,role\n" + b"a,b,c\n" * (MOST_ROWS + 1), "more than 200"),
        (b"email,name,role\n" + b"x" * 1_000_001, "larger than a megabyte"),
        (b'email,name,role\n"' + b"x" * 200_000 + b'",a,b\n', "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read(content: bytes, why: str, admin: int) -> None:
    with pytest.raises(InvalidInput, match=why) as raised:
        preview(admin, content)
    assert raised.value.field == "file"
