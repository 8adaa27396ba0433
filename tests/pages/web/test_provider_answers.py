"""The cookies of a sign-in at the provider: the known ones shortened or dropped, any other one refused."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.types import Message, Receive, Scope, Send

from pages.web.provider_answers import FAILED_PARAMETER, ProviderAnswers
from pages.web.streamlit_private import CALLBACK, IDENTITY_COOKIE, TOKENS_COOKIE

ENDING = "; Path=/; HttpOnly; SameSite=lax; Max-Age=2592000"


def answer(*cookies: str, status: int = 302) -> tuple[str, list[str]]:
    """Where the browser is sent and which cookies it gets when Streamlit's answer has these."""

    async def streamlit(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"location", b"/"), *((b"set-cookie", cookie.encode()) for cookie in cookies)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "path": CALLBACK, "scheme": "http", "headers": [(b"host", b"localhost")]}
    # In a thread of its own: the browser of other tests has an event loop in this one.
    with ThreadPoolExecutor(1) as own_thread:
        own_thread.submit(asyncio.run, ProviderAnswers(streamlit)(scope, receive, send)).result()
    headers = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    [location] = [value for name, value in headers if name == "location"]
    return location, [
        value
        for name, value in headers
        if name == "set-cookie" and not value.startswith(("esupport_next", "__Host-esupport_next"))
    ]


def test_the_identity_lives_for_two_minutes_and_the_tokens_go_nowhere() -> None:
    location, cookies = answer(
        f"{IDENTITY_COOKIE}=who{ENDING}",
        f"{IDENTITY_COOKIE}_1=rest{ENDING}",
        f"{TOKENS_COOKIE}=secret{ENDING}",
    )
    assert location == "/"
    assert [cookie.split("=")[0] for cookie in cookies] == [IDENTITY_COOKIE, f"{IDENTITY_COOKIE}_1"]
    assert all("Max-Age=120" in cookie and "2592000" not in cookie for cookie in cookies)


@pytest.mark.parametrize(
    "cookies",
    [
        [f"_renamed_tokens=secret{ENDING}", f"{IDENTITY_COOKIE}=who{ENDING}"],
        [f"_renamed_user=who{ENDING}", f"_renamed_tokens=secret{ENDING}"],
        [f"{IDENTITY_COOKIE}_tokens_v2=secret{ENDING}", f"{IDENTITY_COOKIE}=who{ENDING}"],
    ],
)
def test_a_cookie_of_another_name_fails_loudly_and_reaches_no_browser(
    cookies: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="esupport.web"):
        location, passed = answer(*cookies)
    assert location == f"/?{FAILED_PARAMETER}=1"
    assert passed == []
    [record] = caplog.records
    assert cookies[0].split("=")[0] in record.getMessage() and "secret" not in record.getMessage()


def test_an_answer_without_an_identity_is_a_failure_and_keeps_its_deletions() -> None:
    gone = f"{IDENTITY_COOKIE}=; Path=/; Max-Age=0"
    assert answer(gone) == (f"/?{FAILED_PARAMETER}=1", [gone])
