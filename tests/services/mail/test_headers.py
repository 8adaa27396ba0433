"""Headers that say one sender and one recipient to whoever reads them, whatever a customer is called."""

from datetime import UTC, datetime
from email import message_from_bytes, message_from_string, policy
from email.header import decode_header, make_header
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.delivery.mail_rounds import send_due
from services.mail.addresses import sender_of
from services.mail.message import MailContent, Message, compose, one_line
from tests.support.factories import run
from tests.support.mail_server import MailServer

SENDER = "Acme Support, Ltd. <support@acme.example>"
TO = "ines@example.com"
HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"}
HOSTILE = [
    "A \"very, very\" long name with 'quotes', and commas that goes on, evil@attacker.example, x",
    "\"Quoted, Name\" of more than seventy letters, \"so that, it\" is folded, evil attacker.example, x",
    "Ines, Araújo; \"the <first>\" (really): evil@attacker.example",
    "x\r\nBcc: spy@attacker.example",
    "x\n\nbody",
    "evil@attacker.example",
    "<evil@attacker.example>",
    "evil＠attacker.example",
    "=?utf-8?q?evil=40attacker=2Eexample=2C?=",
    "=?utf-8?b?LA==?= , x",
    "Ines\u202e moc.rekcatta@live",
    "Инес Араужо, ООО «Ромашка» и партнёры с очень длинным именем, которое не помещается, в строку",
    "아이네스, " * 12,
    "👩‍👩‍👧‍👦, " * 20,
    ", " * 60,
    '"' * 70,
    "\\" * 70,
    "a" * 70 + ", x",
    "a" * 10_000,
    "x, " * 3_000,
    "é" * 199,
    "Group: a, b;",
    "(comment", "comment)", "a.b", "-", ".", ",", ";", "\t", "", " ", "\u200b", "\x85", "\u2028x", "\ufeffInes",
]  # fmt: skip
_letters = st.one_of(
    st.sampled_from([*"\",;:<>()[]@\\.=? \r\n\t", "=?utf-8?q?", "?=", "evil@attacker.example", "\ud800", "\u202e"]),
    st.characters(),
)  # fmt: skip
texts = st.lists(_letters, max_size=120).map("".join) | st.sampled_from(HOSTILE)


def row(**columns: Any) -> MailContent:
    values: dict[str, Any] = {
        "to_address": TO, "to_name": "Ines", "subject": "Hello", "text_body": "text", "html_body": "<p>html</p>",
        "message_id": "<1@acme.example>", "created_at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    }  # fmt: skip
    return MailContent(**values | columns)


def composed(sender: str = SENDER, **columns: Any) -> Message:
    return compose(row(**columns), sender=sender_of(sender))


def read(content: bytes) -> tuple[str, str, str]:
    """Sender, recipient and subject, after both of Python's readers have found one of each."""
    modern, plain = message_from_bytes(content, policy=policy.default), message_from_bytes(content)
    assert set(modern.keys()) == HEADERS and len(modern.keys()) == len(HEADERS)
    addresses = []
    for header in ("From", "To"):
        [parsed] = modern[header].addresses
        [(name, address)] = getaddresses([plain[header]])
        assert address == parsed.addr_spec
        # The modern reader of some versions puts a space between encoded words, where none belongs.
        assert decoded(name).replace(" ", "") == parsed.display_name.replace(" ", "")
        addresses.append(address)
        assert not modern[header].defects
    head = content.partition(b"\r\n\r\n")[0]
    assert head.replace(b"\r\n", b"").count(b"\n") == 0 and b"\r" not in head.replace(b"\r\n", b"")
    assert all(len(line) <= 78 or b" " not in line.strip() for line in head.split(b"\r\n"))
    return addresses[0], addresses[1], decoded(plain["Subject"])


def decoded(header: str) -> str:
    return str(make_header(decode_header(header.replace("\r\n ", " "))))


@given(name=texts, subject=texts)
@example(name=HOSTILE[0], subject=HOSTILE[0])
def test_one_recipient_whatever_the_name_and_the_subject(name: str, subject: str) -> None:
    message = composed(to_name=name, subject=subject)
    assert (message.sender, message.recipient) == ("support@acme.example", TO)
    assert read(message.content) == ("support@acme.example", TO, one_line(subject))
    assert message.content.isascii()


@given(name=texts, local=st.sampled_from(["пример", "用户", "josé.x"]))
def test_one_recipient_with_letters_outside_ascii(name: str, local: str) -> None:
    message = composed(to_name=name, to_address=f"{local}@почта.example")
    assert message.needs_utf8
    parsed = message_from_string(message.content.decode(), policy=policy.SMTPUTF8)
    [recipient] = parsed["To"].addresses
    assert recipient.addr_spec == message.recipient == f"{local}@xn--80a1acny.example"
    [(_, address)] = getaddresses(
        [message.content.decode().partition("\r\nTo: ")[2].partition("\r\nSubject")[0]]
    )
    assert address == message.recipient


@given(body=texts)
def test_any_body_leaves_and_comes_back(body: str) -> None:
    parsed = message_from_bytes(composed(text_body=body).content, policy=policy.default)
    part = parsed.get_body(("plain",))
    assert part is not None
    expected = body.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    assert str(part.get_content()).replace("\r\n", "\n").rstrip("\n") == expected.rstrip("\n")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ines Araujo", "Ines Araujo"),
        ("O'Brien, Ltd.", "O'Brien, Ltd."),
        ("Инес Araújo", "Инес Araújo"),
        ('Ines "Nina" Araújo', 'Ines "Nina" Araújo'),
        ("  Ines \r\n Araujo ", "Ines Araujo"),
        ("In\u202ees", "Ines"),
        ("نام\u200cها", "نام\u200cها"),
        ("=?utf-8?q?x?=", "=?utf-8?q?x?="),
        ("é" * 150, "é" * 150),
        # Left out: what looks like an address, and what is no name
        ("evil@attacker.example", ""),
        ("evil＠attacker.example", ""),
        ("a" * 10_000, ""),
    ],
)
def test_the_name_that_is_shown(name: str, shown: str) -> None:
    [(written, _)] = getaddresses([message_from_bytes(composed(to_name=name).content)["To"]])
    assert decoded(written) == shown


def test_the_senders_name_and_domain() -> None:
    for mail_from, name in {
        "Acme Support, Ltd. <support@straße.example>": "Acme Support, Ltd.",
        '"Söhne, \\"die\\"" <support@straße.example>': 'Söhne, "die"',
    }.items():
        message = composed(mail_from)
        [address] = message_from_bytes(message.content, policy=policy.default)["From"].addresses
        assert (address.display_name, address.addr_spec) == (name, "support@xn--strae-oqa.example")
        assert message.sender == "support@xn--strae-oqa.example" and not message.needs_utf8


@pytest.mark.parametrize("message_id", ["none", "<a b>", "<a>\r\nBcc: spy@x.example", "<é@x>", "<a><b>"])
def test_a_message_id_that_is_none_is_left_out(message_id: str) -> None:
    parsed = message_from_bytes(composed(message_id=message_id).content)
    assert set(parsed.keys()) == HEADERS - {"Message-ID"}


def test_what_arrives_at_a_server(people: dict[str, int], server: MailServer) -> None:
    names = [name for name in HOSTILE if len(name) < 5_000]
    for number, name in enumerate(names):
        run(
            "INSERT INTO mail (message_id, kind, to_address, to_name, subject, text_body) "
            "VALUES (:id, 'refund', :to, :name, :subject, 't')",
            id=f"<{number}@test.example>", to=TO, name=name, subject=" ".join(name.split())[:1000],
        )  # fmt: skip
    run("UPDATE mail SET html_body = '<p>h</p>'")
    assert str(send_due(server.url, SENDER)) == f"{len(names)} sent, 0 put off, 0 failed"
    arrived = {str(mail.message["Message-ID"]): mail for mail in server.accepted}
    for number, name in enumerate(names):
        mail = arrived[f"<{number}@test.example>"]
        assert (mail.sender, mail.recipients) == ("support@acme.example", [TO])
        assert read(mail.content) == ("support@acme.example", TO, one_line(" ".join(name.split())[:1000]))
