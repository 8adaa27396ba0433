"""The mail log, for administrators."""

import re

import pytest

from db.connections.engine import viewer_transaction
from db.schema.statuses import MailState
from services.delivery import mail_rounds as mail_rounds
from services.delivery.log import (
    HIDDEN,
    MailIsBeingSent,
    MailNotFound,
    find_mails,
    get_mail,
    send_again,
)
from services.errors import NotAllowed
from services.mail.outbox import new_message_id
from tests.services.mail.support import queued, resent, send, states
from tests.support import factories
from tests.support.factories import act, run
from tests.support.mail_server import MailServer


def test_administrators_see_and_send_again(people: dict[str, int], server: MailServer) -> None:
    order_id = resent(people)
    server.on_rcpt = lambda _: "550 no"
    send(server)
    admin = factories.viewer(people["admin"])
    with viewer_transaction(people["admin"]) as connection:
        [listed] = find_mails(connection, admin, state=MailState.FAILED)
        assert find_mails(connection, admin, state=MailState.SENT) == ()
        seen = get_mail(connection, admin, listed.id, address=None)
    assert (seen.order_id, seen.to_address, seen.attempts, seen.last_error) == (
        order_id, "ines@example.com", 1, "The mail server answered 550 no",
    )  # fmt: skip
    assert "AAAA-1" in (seen.text_body or "")
    server.on_rcpt = lambda _: None
    assert act(people["admin"], send_again, listed.id) == "The message is in the queue again."
    send(server)
    assert [got.message["Message-ID"] for got in server.accepted] == [seen.message_id]


def test_one_that_was_sent_is_sent_again_as_another_message(
    people: dict[str, int], server: MailServer
) -> None:
    queued(1)
    send(server)
    [[mail_id]] = run("SELECT id FROM mail")
    act(people["admin"], send_again, mail_id)
    send(server)
    first, second = server.accepted
    assert first.text == second.text and first.message["Message-ID"] != second.message["Message-ID"]
    assert states() == {"sent": 2}


def test_one_that_is_being_sent_is_left_alone(people: dict[str, int], server: MailServer) -> None:
    queued(1)
    [[mail_id]] = run("SELECT id FROM mail")

    def meanwhile(_: bytes) -> None:
        with pytest.raises(MailIsBeingSent):
            act(people["admin"], send_again, mail_id)

    server.on_data = meanwhile
    assert send(server) == "1 sent, 0 put off, 0 failed"


@pytest.mark.parametrize("name", ["anna", "rita"])
def test_nobody_else_does(name: str, people: dict[str, int], server: MailServer) -> None:
    queued(1)
    [[mail_id]] = run("SELECT id FROM mail")
    asks = factories.viewer(people[name])
    with viewer_transaction(people[name]) as connection:
        for work in (
            lambda: find_mails(connection, asks),
            lambda: get_mail(connection, asks, mail_id, address=None),
        ):
            with pytest.raises(NotAllowed):
                work()
    with pytest.raises(NotAllowed):
        act(people[name], send_again, mail_id)


def test_no_such_message(people: dict[str, int], server: MailServer) -> None:
    with pytest.raises(MailNotFound):
        act(people["admin"], send_again, 10**9)


def test_pages_of_the_log(people: dict[str, int], server: MailServer) -> None:
    queued(5)
    admin = factories.viewer(people["admin"])
    with viewer_transaction(people["admin"]) as connection:
        first = find_mails(connection, admin, limit=3)
        rest = find_mails(connection, admin, limit=3, before=first[-1].id)
    ids = [row.id for row in (*first, *rest)]
    assert len(ids) == 5 and ids == sorted(ids, reverse=True)


def test_message_ids_are_of_the_senders_domain(
    people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_FROM", "Portal <portal@bücher.example>")
    assert re.fullmatch(r"<[0-9a-f]{32}@xn--bcher-kva\.example>", new_message_id())


def test_a_round_says_what_it_did() -> None:
    assert str(mail_rounds.MailCounts(1, 2, 3)) == "1 sent, 2 put off, 3 failed"


@pytest.mark.parametrize("smtp", [None, "smtp://mail.example.com"])
@pytest.mark.parametrize("kind", ["password", "password_reset", "account", "refund"])
def test_secrets_are_their_owners_alone_and_each_reading_is_recorded(
    people: dict[str, int], monkeypatch: pytest.MonkeyPatch, smtp: str | None, kind: str
) -> None:
    monkeypatch.setenv("SMTP_URL", smtp or "")
    [[mail_id]] = run(
        "INSERT INTO mail (message_id, kind, subject, text_body) "
        "VALUES (gen_random_uuid()::text, :kind, 's', 'the secret') RETURNING id",
        kind=kind,
    )
    admin = factories.viewer(people["admin"])
    with viewer_transaction(people["admin"]) as connection:
        assert "the secret" not in repr(find_mails(connection, admin))
        text = get_mail(connection, admin, mail_id, address="192.0.2.1").text_body
    is_hidden = smtp is not None and kind != "refund"
    assert text == (HIDDEN if is_hidden else "the secret")
    [row] = run(
        "SELECT account_id, address, details FROM audit_log WHERE action = 'open mail' ORDER BY id DESC LIMIT 1"
    )
    assert (row.account_id, row.address, row.details["mail"]) == (people["admin"], "192.0.2.1", mail_id)
    assert row.details.get("hidden", False) is is_hidden
    run("DELETE FROM mail WHERE id = :id", id=mail_id)
