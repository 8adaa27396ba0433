"""Noventiq's API: log in, read orders and subscriptions, ask for refunds, switch renewals off and on.

Calls go through the guarded client (services/connections/safe_http.py): https to public addresses alone. There are two
kinds of errors: what may work later, and what the vendor refuses. None holds a token, a password or a request's text.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from services.connections.safe_http import HttpContent, NotAllowedAddress, NotDelivered, SafeClient
from services.noventiq.json_values import Json, JsonObject, Number, is_text, load
from services.noventiq.tokens import Credentials, Tokens

DEFAULT_BASE_URL: Final = "https://api.ecommerce.noventiq.com"
DESCRIPTION_LIMIT: Final = 500
EMAIL_LIMIT: Final = 80
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404
# A client error that a repetition can mend: the request took too long, or there were too many.
_WORTH_REPEATING: Final = (408, 425, 429)
# "Your token is invalid", "Missing token", "Your token is expired".
_TOKEN_ERRORS: Final = ("1007", "1008", "1009")
_SHOWN: Final = 300
_is_subscription_id: Final = re.compile(r"[0-9]{1,19}_[0-9]{1,19}").fullmatch

_tokens: Final = Tokens()


class ApiError(Exception):
    """The API did not do what was asked; the text is a sentence for an operator or an administrator."""


class ApiUnavailable(ApiError):
    """No answer, or none of use: to be tried again. `retry_after` is in seconds."""

    def __init__(self, reason: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.retry_after = retry_after


class LoginRefused(ApiUnavailable):
    """The credentials of the connection are wrong: an administrator has to mend that."""


class ApiRefused(ApiError):
    """The vendor will not do it, today or tomorrow."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class NotAtVendor(ApiRefused):
    """The vendor has no such order or subscription."""


def is_subscription_id(subscription_id: str) -> bool:
    """Whether it has the vendor's form, `NN_MM`, where NN is the parent order."""
    return _is_subscription_id(subscription_id) is not None


def find_credentials(
    connection_id: int, options: Mapping[str, object], secrets: tuple[str, ...]
) -> Credentials | None:
    """The API credentials of a connection; None when it has none. `options` are JSON from the database."""
    username = options.get("username")
    if not (isinstance(username, str) and username and secrets):
        return None
    base_url = options.get("api_url")
    address = base_url if isinstance(base_url, str) and base_url else DEFAULT_BASE_URL
    return Credentials(connection_id, address.rstrip("/"), username, secrets[0])


@cache
def _shared_client() -> SafeClient:
    return SafeClient()


class NoventiqApi:
    """The API as one connection sees it. Any number of threads may share it."""

    def __init__(
        self, credentials: Credentials, *, client: SafeClient | None = None, tokens: Tokens = _tokens
    ) -> None:
        self._credentials = credentials
        self._client = client or _shared_client()
        self._tokens = tokens

    @property
    def key(self) -> str:
        """A name for the credentials that does not tell them."""
        return self._credentials.key

    def check_login(self) -> None:
        """Log in; raises `LoginRefused` for wrong credentials, and `ApiUnavailable`."""
        self._log_in()

    def get_order(self, order_id: int) -> JsonObject:
        """The order as the vendor has it; raises `NotAtVendor`, `ApiRefused`, `ApiUnavailable`, as all of these do."""
        return self._call("GET", f"/v1/order/{order_id}")

    def get_subscription(self, subscription_id: str) -> JsonObject:
        """`id`, `type` (AR or PMR), `status`, and more that is not used."""
        _require_subscription_id(subscription_id)
        return self._call("GET", f"/v1/subscription/{subscription_id}")

    def request_refund(self, order_id: int, *, description: str, email: str) -> None:
        """Ask for a refund: people at the vendor's decide, and `product.returned` tells of it.

        `email` is ours, for the vendor's questions. The vendor refuses while an earlier request is not completed.
        """
        body = {"description": description[:DESCRIPTION_LIMIT], "email": email[:EMAIL_LIMIT]}
        self._call("POST", f"/v1/order/{order_id}/refund", body)

    def modify_activity(self, subscription_id: str, *, active: bool) -> None:
        """Resume (AR alone) or cancel a subscription; the customer is told by the vendor."""
        _require_subscription_id(subscription_id)
        body = {"id": subscription_id, "activity": active, "suppress_customer_notification": False}
        self._call("POST", "/v1/subscription/modify_activity", body)

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> JsonObject:
        token = self._tokens.find(self._credentials)
        if token is not None:
            answer = self._send(method, path, body, token)
            if not _is_token_refused(answer):
                return _result(answer)
            self._tokens.drop(self._credentials, token)
        answer = self._send(method, path, body, self._log_in())
        if _is_token_refused(answer):
            raise LoginRefused("Noventiq does not accept the token that it has just given.", answer.status)
        return _result(answer)

    def _log_in(self) -> str:
        body = {"username": self._credentials.username, "password": self._credentials.password}
        answer = self._send("POST", "/v1/login_check", body, None)
        if answer.status in (400, 401, 403):
            raise LoginRefused(
                "Noventiq refused the user name or the password of this connection.", answer.status
            )
        token = _result(answer).get("token")
        if not is_text(token) or not token.isascii() or not token.isprintable() or len(token) > 10_000:
            raise ApiUnavailable("Noventiq's answer to the login has no token.", answer.status)
        self._tokens.put(self._credentials, token)
        return token

    def _send(
        self, method: str, path: str, body: Mapping[str, object] | None, token: str | None
    ) -> HttpContent:
        headers = {"Accept": "application/json", "User-Agent": "ESupport portal"}
        if token is not None:
            headers["AuthorizationJWT"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body).encode()
        try:
            return self._client.request(method, self._credentials.base_url + path, headers, content)
        except (NotDelivered, NotAllowedAddress) as error:
            raise ApiUnavailable(f"Noventiq cannot be reached. {error}") from None


def _require_subscription_id(subscription_id: str) -> None:
    if not is_subscription_id(subscription_id):
        raise ApiRefused("This subscription's ID is not one of Noventiq's.", _NOT_FOUND)


def _is_token_refused(answer: HttpContent) -> bool:
    if answer.status == _UNAUTHORIZED:
        return True
    return 400 <= answer.status < 500 and any(code in _TOKEN_ERRORS for code, _ in _errors(answer))


def _result(answer: HttpContent) -> JsonObject:
    """The object in a good answer. An action's answer may be empty; then it is an empty object."""
    if 200 <= answer.status < 300:
        if not answer.content.strip():
            return {}
        result = load(answer.content)
        if result is None:
            raise ApiUnavailable("Noventiq's answer cannot be read.", answer.status)
        return result
    said = " ".join(message for _, message in _errors(answer) if message)
    text = f"Noventiq answered {answer.status}" + (f": {said}" if said else ".")
    if answer.status == _NOT_FOUND:
        raise NotAtVendor(text, answer.status)
    if 400 <= answer.status < 500 and answer.status not in _WORTH_REPEATING:
        raise ApiRefused(text, answer.status)
    raise ApiUnavailable(text, answer.status, answer.retry_after)


def _errors(answer: HttpContent) -> list[tuple[str, str]]:
    """(code, message) of `{"errors": [{"error": 1007, "message": "…"}]}`, with messages shortened and printable."""
    entries = (load(answer.content) or {}).get("errors")
    if not isinstance(entries, list):
        return []
    return [
        (_code(entry.get("error")), _printable(entry.get("message")))
        for entry in entries[:5]
        if isinstance(entry, dict)
    ]


def _code(value: Json | None) -> str:
    return str(value) if isinstance(value, Number) or is_text(value) else ""


def _printable(value: Json | None) -> str:
    text = value if is_text(value) else ""
    return "".join(c if c.isprintable() else " " for c in text[:_SHOWN]).strip()
