"""Setup instructions for each kind of connection: which value is pasted where."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import streamlit as st

from db.schema.connection_states import ConnectionKind, Purpose
from pages.rendering.escaping import html_text
from services.connections.kinds import incoming_address
from services.connections.listing import ListedConnection
from services.connections.secrets import OVERLAP


class GuideSubject(NamedTuple):
    """A connection as the guide needs it. `purposes` are the secrets that it is about; empty means all steps."""

    kind: ConnectionKind
    key: str
    name: str
    out_url: str | None
    confirms: bool
    rotated: Purpose | None = None


class Step(NamedTuple):
    """One thing to do: a sentence, and what to copy for it, by label."""

    text: str
    codes: tuple[tuple[str, str], ...] = ()


_ONCE: Final = (
    "The secrets are shown now and never again. Copy them before you close this; "
    "lost ones are rotated under More."
)
_NOT_SHOWN: Final = "shown once, when it was made; rotate it under More to get a new one"
_DEVELOPER: Final = (
    "The shop's developer finds everything about messages and signatures in docs/connections.md."
)


def subject_of(listed: ListedConnection, *, rotated: Purpose | None = None) -> GuideSubject:
    return GuideSubject(listed.kind, listed.key, listed.name, listed.out_url, listed.confirms, rotated)


def draw_guide(subject: GuideSubject, secrets: Mapping[Purpose, str]) -> None:
    """Draw the steps, with those of the secrets that may still be shown."""
    st.html(f"<p><strong><bdi>{html_text(subject.name)}</bdi></strong></p>")
    steps = (
        _rotated(subject, secrets)
        if subject.rotated
        else _STEPS.get(subject.kind, _provider)(subject, secrets)
    )
    for number, step in enumerate(steps, 1):
        prefix = f"{number}. " if len(steps) > 1 else ""
        st.html(f"<p>{prefix}{html_text(step.text)}</p>")
        for label, value in step.codes:
            draw_code(label, value)
    if secrets:
        st.warning(_ONCE, icon=":material/key:")


def draw_code(label: str, value: str) -> None:
    """Draw a value to be copied below its label."""
    with st.container(gap="xxsmall"):
        st.html(f'<div class="es-code-label">{html_text(label)}</div>')
        st.code(value, language=None, wrap_lines=True)


def _rotated(subject: GuideSubject, secrets: Mapping[Purpose, str]) -> list[Step]:
    purpose = subject.rotated
    which = "for messages that come in" if purpose is Purpose.IN else "for actions that go out"
    text = f"The new secret {which}. Paste it in the place of the old one, which stays valid for {OVERLAP.days} days."
    return [Step(text, tuple(("Secret", secret) for secret in secrets.values()))]


def _secret(secrets: Mapping[Purpose, str], purpose: Purpose) -> tuple[str, str]:
    return "Secret", secrets.get(purpose, _NOT_SHOWN)


def _address(subject: GuideSubject) -> tuple[str, str]:
    return "Address", incoming_address(subject.kind, subject.key)


def _webhooks(subject: GuideSubject, secrets: Mapping[Purpose, str]) -> list[Step]:
    steps = [
        Step(
            "Orders in: the shop posts each new or changed order to this address, signed with this secret "
            "(Standard Webhooks 1.0.0).",
            (_address(subject), _secret(secrets, Purpose.IN)),
        )
    ]
    if subject.out_url:
        steps.append(
            Step(
                "Actions out: what is done here is posted to the shop's address. The shop checks it with this secret.",
                (("The shop's address", subject.out_url), _secret(secrets, Purpose.OUT)),
            )
        )
    if subject.confirms:
        steps.append(
            Step(
                "Answers: the shop answers each action with action.succeeded or action.failed, at the first address. "
                "Until then the action shows as sent."
            )
        )
    steps.append(Step("Try it with Send a test event. " + _DEVELOPER))
    return steps


def _noventiq(subject: GuideSubject, _: Mapping[Purpose, str]) -> list[Step]:
    return [
        Step(
            "In Noventiq's control panel, enter this address for the webhooks of this checkout page, and choose all "
            "events.",
            (_address(subject),),
        ),
        Step("Copy the secret key that the panel shows for it, and paste it here under More, Secret key."),
        Step(
            "With a user name and a password of the API, whole orders are fetched, and Cancel, Resume and refunds "
            "are carried out by Noventiq: enter them under Change and under More, API password."
        ),
    ]


def _stripe(subject: GuideSubject, _: Mapping[Purpose, str]) -> list[Step]:
    return [
        Step(
            "In Stripe's Dashboard, add a webhook endpoint with this address and the events refund.updated and "
            "refund.failed.",
            (_address(subject),),
        ),
        Step("Copy the endpoint's signing secret (whsec_…), and paste it here under More, Signing secret."),
        Step(
            "Make a restricted key (rk_…) that may write refunds and read payments, and paste it under More, API key."
        ),
        Step(
            "The connection begins as a dry run: nothing is paid back. Look at a refund or two on the order page, "
            "then end the dry run under Change."
        ),
    ]


def _provider(subject: GuideSubject, _: Mapping[Purpose, str]) -> list[Step]:
    return [
        Step("Messages of this provider, if it sends any, go to this address.", (_address(subject),)),
        Step("The connection begins as a dry run: nothing is paid back. End it under Change."),
    ]


def _help_desk(subject: GuideSubject, secrets: Mapping[Purpose, str]) -> list[Step]:
    return [
        Step(
            "In Help Scout or FreeScout, make a custom app with this address and this secret key.",
            (_address(subject), _secret(secrets, Purpose.IN)),
        ),
        Step(
            "Beside a conversation it then shows the customer's orders in this store, their renewals and an open "
            "refund, without activation codes. Each look-up is in the audit log."
        ),
    ]


_STEPS: Final = {
    ConnectionKind.WEBHOOKS: _webhooks,
    ConnectionKind.NOVENTIQ: _noventiq,
    ConnectionKind.STRIPE: _stripe,
    ConnectionKind.HELP_DESK: _help_desk,
}
