"""The outbox: each mail is a row written in the transaction that causes it. `services.delivery.worker` sends it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import uuid4

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy import BigInteger, ColumnElement, Connection, Integer, cast, func, insert, literal, select

from db.schema.mail_tables import mail
from db.schema.statuses import MailKind
from services.mail.addresses import sender_of
from services.mail.customer_texts import WrittenMail
from services.settings import settings

# Which subject goes with which texts: templates/<kind>.txt.jinja and .html.jinja. The texts of `CUSTOMER_REFUND` are
# in `services.mail.customer_texts`.
SUBJECTS: Final[Mapping[str, str]] = {
    MailKind.LICENCE: "Your licence for order {order_name}",
    MailKind.REFUND: "[Esupport] Refund request for {order_name} has been completed",
    MailKind.ACCOUNT: "Your account at the ESupport portal",
    MailKind.PASSWORD_RESET: "A new one-time password for the ESupport portal",
    MailKind.PASSWORD: "Set a new password for the ESupport portal",
    MailKind.CREDENTIALS: "Your account at the ESupport portal: {change}",
    MailKind.CONNECTION: "Connection {connection} of {store} needs attention",
    MailKind.ACTION: "[Esupport] The {action} for {order_name} {outcome}",
    MailKind.REFUND_DIGEST: "[Esupport] Refund queue: {summary}",
}
# Messages with a password or a link to set one: their text is removed once they were sent.
SECRET_KINDS: Final = frozenset({MailKind.ACCOUNT, MailKind.PASSWORD_RESET, MailKind.PASSWORD})
REMOVED: Final = "The text held a secret and was removed when the message was sent."
_texts = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    # Every value in the HTML part is escaped; the plain part is shown as it is.
    autoescape=select_autoescape(enabled_extensions=("html.jinja",), default_for_string=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def queue_mail(
    connection: Connection,
    *,
    kind: str,
    to_address: str,
    to_name: str | None,
    template_values: Mapping[str, str | None],
    order_id: int | None = None,
    store_id: int | None = None,
    account_id: int | None = None,
    position: int | None = None,
    number: int | None = None,
) -> None:
    """Add a message of this kind to the outbox, its template filled with `template_values`.

    Its Message-ID is set here, so that a recipient can recognise a duplicate.
    """
    one_line = {name: " ".join((value or "").split()) for name, value in template_values.items()}
    texts = texts_of(kind, template_values)
    queue_written(
        connection,
        kind=kind,
        to_address=to_address,
        to_name=to_name,
        written=WrittenMail(SUBJECTS[kind].format(**one_line)[:1000], texts["text_body"], texts["html_body"]),
        order_id=order_id,
        store_id=store_id,
        account_id=account_id,
        position=position,
        number=number,
    )


def queue_written(
    connection: Connection,
    *,
    kind: str,
    to_address: str,
    to_name: str | None,
    written: WrittenMail,
    order_id: int | None = None,
    store_id: int | None = None,
    account_id: int | None = None,
    position: int | None = None,
    number: int | None = None,
) -> None:
    """Add a message whose words are there already."""
    # Inline: only administrators may read mails, and a RETURNING would read.
    connection.execute(
        insert(mail)
        .inline()
        .values(
            message_id=new_message_id(),
            kind=kind,
            to_address=to_address,
            to_name=to_name,
            subject=written.subject,
            text_body=written.text_body,
            html_body=written.html_body,
            order_id=order_id,
            checkout_page_id=store_id,
            account_id=account_id,
            position=position,
            number=number,
        )
    )


def texts_of(kind: str, template_values: Mapping[str, str | None]) -> dict[str, str]:
    """The plain and the HTML part of a message, as columns of `mail`."""
    return {
        "text_body": _texts.get_template(f"{kind}.txt.jinja").render(template_values),
        "html_body": _texts.get_template(f"{kind}.html.jinja").render(template_values),
    }


def new_message_id() -> str:
    domain = sender_of(settings().mail.sender).address.rpartition("@")[2]
    return f"<{uuid4().hex}@{domain}>"


def claim_mail(connection: Connection, mail_id: int) -> bool:
    """Reserve this message until the transaction ends, so that nobody else sends it or requests it to be sent; False
    when somebody else has reserved it.

    The lock is on the message's number and not on its row: a worker may hold it while a mail server is slow, and
    transactions that change the message or delete its text do not wait.
    """
    return bool(connection.execute(select(claim_of(literal(mail_id, BigInteger)))).scalar_one())


def claim_of(mail_id: ColumnElement[int]) -> ColumnElement[bool]:
    """The same as part of a statement."""
    return func.pg_try_advisory_xact_lock(func.hashtext("esupport mail"), cast(mail_id % 2**31, Integer))
