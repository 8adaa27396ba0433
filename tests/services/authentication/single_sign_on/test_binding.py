"""Single sign-on: which account an e-mail address means, and how the first use binds it to a subject."""

import threading

import pytest

from services.accounts import sign_in_methods
from services.authentication import sessions, single_sign_on
from services.errors import Conflict
from tests.services.authentication.single_sign_on.answers import account, decide, last_audit
from tests.support import factories
from tests.support.factories import run


@pytest.mark.parametrize(
    "email",
    [
        "adm\u0131n@team.example",  # dotless i
        "adm\u0130n@team.example",
        "\uff41dmin@team.example",  # full-width
        "admin@\uff54eam.example",
        "admin@team\u3002example",  # another full stop
        "admin\uff20team.example",
        "admin\u200b@team.example",
        "\u200badmin@team.example",
        "admin@te\u00adam.example",
        "admin@team.example\ufeff",
        "\u0430dmin@team.example",  # Cyrillic
        "\u1d43dmin@team.example",
        "admin@team.example.",
        "admin@@team.example",
        "x, admin@team.example",
        "admin+x@team.example",
    ],
)
def test_what_looks_or_folds_alike_is_somebody_else(anna: int, email: str) -> None:
    account("admin@team.example")
    decision = decide(email=email)
    assert decision is not None and decision.checked is None
    assert decide(email="ADMIN@Team.EXAMPLE").checked is not None, "the control"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("stored", "claimed", "is_same"),
    [
        ("max@straße-team.example", "max@strasse-team.example", False),
        ("max@straße-team.example", "max@xn--strae-team-83a.example", True),
        ("straße@team.example", "strasse@team.example", False),
        ("straße@team.example", "STRASSE@team.example", False),
        ("jose\u0301@team.example", "jos\u00e9@TEAM.example", True),
        ("jos\u00e9@team.example", "JOS\u00c9@team.example", False),
        ("\u03c3\u03b1\u03c2@team.example", "\u03c3\u03b1\u03c3@team.example", False),
    ],
)
def test_letters_of_other_scripts(anna: int, stored: str, claimed: str, is_same: bool) -> None:
    made = account(stored)
    try:
        decision = decide(email=claimed)
        assert decision is not None
        assert decision.checked == (made if is_same else None)
        own = decide(email=stored, sub="1")
        assert own is not None and own.checked == made, "the control"
    finally:
        run("DELETE FROM account WHERE id = :id", id=made)


def test_the_first_use_binds_and_nobody_else_comes_in(anna: int) -> None:
    other = account("boris@team.example")
    assert decide(sub="1").checked == anna  # type: ignore[union-attr]
    [bound] = run("SELECT action, account_id FROM audit_log ORDER BY id DESC LIMIT 1")
    assert tuple(bound) == ("bind single sign-on", anna)
    refused = [
        decide(sub="2"),  # another person at the provider, with the same e-mail
        decide(iss="https://other.example"),
        decide(email="boris@team.example"),  # the same person, with another account's e-mail
    ]
    assert {decided and decided.refused for decided in refused} == {single_sign_on.BOUND}
    assert last_audit().details["reason"] == "bound to another"
    assert decide(sub="1").checked == anna, "who was bound still comes in"  # type: ignore[union-attr]
    assert decide(sub="3", email="boris@team.example").checked == other  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "missing", [{"sub": None}, {"sub": ""}, {"sub": 7}, {"iss": None}, {"sub": "x" * 300}]
)
def test_an_answer_that_names_nobody_opens_nothing(anna: int, missing: dict[str, object]) -> None:
    decision = decide(**missing)
    assert decision is not None and decision.checked is None


def test_a_disabled_account_is_not_bound(anna: int) -> None:
    run("UPDATE account SET disabled_at = now() WHERE id = :id", id=anna)
    decision = decide()
    assert decision is not None and decision.checked is None
    assert run("SELECT 1 FROM single_sign_on_identity WHERE account_id = :id", id=anna) == []


def test_two_first_uses_at_once_bind_one(anna: int) -> None:
    barrier, decision = threading.Barrier(8), []

    def use(number: int) -> None:
        barrier.wait()
        decision.append((number, decide(sub=f"race-{number}")))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [number for number, decided in decision if decided is not None and decided.checked == anna]
    assert len(winners) == 1
    assert run("SELECT subject FROM single_sign_on_identity WHERE account_id = :id", id=anna) == [
        (f"race-{winners[0]}",)
    ]


def test_an_administrator_unlinks(anna: int) -> None:
    boss = factories.account(f"unlinker{anna}", role="administrator")
    decision = decide(sub="1")
    assert decision is not None and decision.checked is not None
    token = sessions.open_session(decision.checked, address=None)
    waiting = decide(sub="1")
    assert waiting is not None and waiting.checked is not None and token is not None
    said = factories.act(boss, sign_in_methods.unbind_single_sign_on, anna)
    assert said == "The single sign-on of Anna was unlinked."
    assert sessions.viewer_of_token(token) is None, "what it has opened ends"
    assert sessions.open_session(waiting.checked, address=None) is None, "and what it has begun"
    with pytest.raises(Conflict, match="not linked"):
        factories.act(boss, sign_in_methods.unbind_single_sign_on, anna)
    assert decide(sub="2").checked == anna  # type: ignore[union-attr]
    assert decide(sub="1").refused == single_sign_on.BOUND  # type: ignore[union-attr]
    run("DELETE FROM account_session WHERE account_id = :id", id=boss)
