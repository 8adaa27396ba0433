"""The environment: what its variables mean, and what is said about one that means nothing."""

from pathlib import Path

import pytest

from db.environment import PROJECT, SettingsError
from db.settings import database_settings
from services.settings import settings

NAMES = (
    "DATABASE_URL",
    "ESUPPORT_APP_DATABASE_URL",
    "DATABASE_READ_URL",
    "ESUPPORT_DATA",
    "ESUPPORT_BASE_URL",
    "SMTP_URL",
    "MAIL_FROM",
    "PORT",
    "ESUPPORT_DEMO",
    "ESUPPORT_PASSWORDS",
    "OIDC_ISSUER",
    "OIDC_CLIENT_ID",
    "OIDC_CLIENT_SECRET",
    "OIDC_NAME",
    "ESUPPORT_TRUSTED_PROXIES",
    "ESUPPORT_HOOK_HOSTS",
)


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def read_all() -> None:
    database_settings()
    settings()


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_defaults_hold_for_variables_that_are_unset_or_empty(
    monkeypatch: pytest.MonkeyPatch, nothing: str | None
) -> None:
    if nothing is not None:
        for name in NAMES:
            monkeypatch.setenv(name, nothing)
    current, database = settings(), database_settings()
    assert database.database_url is None
    assert database.app_database_url is None
    assert database.database_read_url is None
    assert current.mail.smtp_url is None
    assert database.data_dir == PROJECT / ".data"
    assert database.data_dir.is_absolute()
    assert current.web.port == 8501
    assert current.web.base_url == "http://localhost:8501"
    assert current.mail.sender == "esupport@localhost"
    assert current.web.demo
    assert current.sign_in.passwords
    assert current.sign_in.provider is None
    assert current.web.trusted_proxies == ()


def test_trusted_proxies_are_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESUPPORT_TRUSTED_PROXIES", "127.0.0.1, ::1,10.0.0.0/8 fd00::/8")
    assert [str(network) for network in settings().web.trusted_proxies] == [
        "127.0.0.1/32",
        "::1/128",
        "10.0.0.0/8",
        "fd00::/8",
    ]


@pytest.mark.parametrize("value", ["proxy.example.com", "*", "127.0.0.1/33", "10.0.0.1/8", "127.0.0.1;::1"])
def test_a_proxy_that_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ESUPPORT_TRUSTED_PROXIES", value)
    with pytest.raises(SettingsError, match="ESUPPORT_TRUSTED_PROXIES must list addresses or networks"):
        read_all()


def test_environment_is_read_anew_by_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9000")
    assert settings().web.base_url == "http://localhost:9000"
    monkeypatch.setenv("PORT", "9001")
    assert settings().web.base_url == "http://localhost:9001"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_database_address_takes_every_usual_scheme(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://owner:p%40ss@db.example.com:5433/support?sslmode=require")
    expected = "postgresql+psycopg://owner:p%40ss@db.example.com:5433/support?sslmode=require"
    assert database_settings().database_url == expected


def test_relative_data_folder_counts_from_the_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ESUPPORT_DATA", "elsewhere")
    assert database_settings().data_dir == PROJECT / "elsewhere"
    monkeypatch.setenv("ESUPPORT_DATA", str(tmp_path / "with a space"))
    assert database_settings().data_dir == tmp_path / "with a space"


def test_base_url_loses_its_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESUPPORT_BASE_URL", "https://support.example.com/portal/")
    assert settings().web.base_url == "https://support.example.com/portal"


@pytest.mark.parametrize(("value", "demo"), [("0", False), ("1", True), ("no", True)])
def test_only_zero_declines_the_demo(monkeypatch: pytest.MonkeyPatch, value: str, demo: bool) -> None:
    monkeypatch.setenv("ESUPPORT_DEMO", value)
    assert settings().web.demo is demo


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "٨٠"),
        ("PORT", "9" * 5000),
        ("DATABASE_URL", "mysql://root:hunter2@localhost/support"),
        ("DATABASE_URL", "postgresql://owner:hunter2@localhost:port/support"),
        ("DATABASE_URL", "postgresql://owner:hunter2@[::1/support"),
        ("DATABASE_URL", "hunter2"),
        ("ESUPPORT_APP_DATABASE_URL", "host=localhost password=hunter2"),
        ("DATABASE_READ_URL", "host=replica password=hunter2"),
        ("ESUPPORT_BASE_URL", "support.example.com"),
        ("ESUPPORT_BASE_URL", "https://"),
        ("ESUPPORT_BASE_URL", "javascript:alert(1)"),
        ("ESUPPORT_BASE_URL", "https://support.example.com/?page=1"),
        ("SMTP_URL", "mail.example.com:25"),
        ("SMTP_URL", "smtp://user:hunter2@mail.example.com:smtp"),
        ("SMTP_URL", "smtp://"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "a@example.com\nBcc: b@example.com"),
        ("ESUPPORT_DATA", "two\nlines"),
        ("ESUPPORT_DATA", "~no-such-user-here/data"),
    ],
)
def test_unusable_value_is_named_by_its_variable_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        read_all()
    assert str(raised.value).startswith(f"{name} ")
    assert str(raised.value).endswith(".")
    assert "hunter2" not in str(raised.value)


def test_a_provider_is_known_by_where_it_describes_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_ISSUER", "https://login.example.com/realms/shop/")
    monkeypatch.setenv("OIDC_CLIENT_ID", "portal")
    with pytest.raises(SettingsError, match="OIDC_CLIENT_SECRET"):
        read_all()
    monkeypatch.setenv("OIDC_CLIENT_SECRET", "hush")
    provider = settings().sign_in.provider
    assert provider is not None
    assert provider.metadata_url == "https://login.example.com/realms/shop/.well-known/openid-configuration"
    assert provider.name == "single sign-on"


def test_passwords_are_not_switched_off_where_nothing_else_lets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESUPPORT_PASSWORDS", "0")
    with pytest.raises(SettingsError, match="nobody could sign in"):
        read_all()


def test_a_change_of_any_variable_is_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are parsed once; a variable that the cache does not look at would be stale for ever."""
    from db import settings as of_database
    from services import settings as of_services

    beside = {"ESUPPORT_WEB_JOBS_DATABASE_URL", "ESUPPORT_HOOKS_PORT", "ESUPPORT_IDLE_MINUTES"}
    assert set(of_services._NAMES) | set(of_database._NAMES) == {*NAMES} | beside
    monkeypatch.setenv("OIDC_ISSUER", "https://id.example.com")
    monkeypatch.setenv("OIDC_CLIENT_ID", "a")
    monkeypatch.setenv("OIDC_CLIENT_SECRET", "b")
    assert settings().sign_in.passwords
    monkeypatch.setenv("ESUPPORT_PASSWORDS", "0")
    assert not settings().sign_in.passwords
