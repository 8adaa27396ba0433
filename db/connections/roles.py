"""The roles below the owner, and the addresses that the web server connects with.

The owner migrates and nothing else. `esupport_app` serves the pages under row-level security; `esupport_jobs` runs
imports, housekeeping and mail, and nobody can sign in as it: the commands take it on with SET ROLE. So does
`esupport_web_jobs`, which has no right of its own: a web server that must not know the owner's address signs in as it
to judge second factors and single sign-ons. `esupport_writer` is for shops with a database of their own: whom an
administrator makes a member may put orders into the inbox and read what goes out (schema `api`), and nothing else.
"""

import hashlib
import hmac

import psycopg
from psycopg import errors, sql
from sqlalchemy.engine import URL, make_url

from db.settings import database_settings

APP_ROLE = "esupport_app"
JOBS_ROLE = "esupport_jobs"
WEB_JOBS_ROLE = "esupport_web_jobs"
WRITER_ROLE = "esupport_writer"


def role_password(owner_url: str, role: str) -> str:
    """Derived from the owner's, so that every replica with the same DATABASE_URL knows it and no file holds it."""
    secret = make_url(owner_url).password or ""
    return hmac.new(secret.encode(), role.encode(), hashlib.sha256).hexdigest()


def app_url(owner_url: str) -> str:
    """The same server and database, as the app's role; ESUPPORT_APP_DATABASE_URL overrides it."""
    if override := database_settings().app_database_url:
        return override
    return _url_of(owner_url, APP_ROLE)


def web_jobs_url(owner_url: str) -> str:
    """The same server and database, as the role with which a web server takes on the jobs' role."""
    return _url_of(owner_url, WEB_JOBS_ROLE)


def _url_of(owner_url: str, role: str) -> str:
    url = make_url(owner_url).set(username=role, password=role_password(owner_url, role))
    return url.render_as_string(hide_password=False)


def libpq_url(url: str | URL) -> str:
    """An SQLAlchemy address in the form that psql, pg_dump and psycopg take."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def ensure_app_role(owner_url: str) -> None:
    """Creates the roles where they are missing and gives those of the web server their passwords.

    Roles belong to the whole server, so two starters (or two databases of one server) may be here at once: each
    step is repeated when another was faster.
    """
    with psycopg.connect(libpq_url(owner_url), autocommit=True) as connection:
        # Another database of the same server is not covered by a lock in this one, so the errors are caught as well.
        connection.execute("SELECT pg_advisory_lock(hashtext('esupport roles'))")
        for role, options in (
            (APP_ROLE, "LOGIN"),
            (JOBS_ROLE, "NOLOGIN"),
            (WEB_JOBS_ROLE, "LOGIN NOINHERIT"),
            (WRITER_ROLE, "NOLOGIN"),
        ):
            existing = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            if not existing:
                _tolerating_a_race(
                    connection, sql.SQL("CREATE ROLE {} " + options).format(sql.Identifier(role))
                )
        for role in (JOBS_ROLE, APP_ROLE):  # the worker acts as the app's role for the account of a bulk run
            _let_owner_take_on(connection, role)
        _tolerating_a_race(
            connection,
            sql.SQL("GRANT {} TO {}").format(sql.Identifier(JOBS_ROLE), sql.Identifier(WEB_JOBS_ROLE)),
        )
        app_roles = () if database_settings().app_database_url else (APP_ROLE,)
        for role in (*app_roles, WEB_JOBS_ROLE):
            if not _can_connect(_url_of(owner_url, role)):
                password = sql.Literal(role_password(owner_url, role))
                statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), password)
                _tolerating_a_race(connection, statement)
        _take_away(connection)


def _let_owner_take_on(connection: psycopg.Connection, role: str) -> None:
    # From PostgreSQL 16 on, creating a role does not let its creator take it on.
    may = connection.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", [role]).fetchone()
    if not (may and may[0]) or connection.info.server_version >= 160000:
        _tolerating_a_race(connection, sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))


# What PostgreSQL lets everybody write with, outside every table of ours and its row-level security.
_LARGE_OBJECTS = sql.SQL(
    "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace "
    "AND (p.proname LIKE 'lo\\_%' OR p.proname IN ('loread', 'lowrite')) "
    "AND has_function_privilege('public', p.oid, 'EXECUTE') AND pg_has_role(current_user, p.proowner, 'MEMBER')"
)


def _take_away(connection: psycopg.Connection) -> None:
    """Temporary tables from everybody but the jobs, whose imports need them; large objects from everybody.

    Here and not in a migration, since neither is part of a dump. The functions belong to the server's first superuser:
    where the owner of the database is not one, they stay (docs/decisions/020).
    """
    database = sql.Identifier(connection.info.dbname)
    may = connection.execute(
        "SELECT has_database_privilege('public', current_database(), 'TEMPORARY')"
    ).fetchone()
    if may and may[0]:
        for statement in (
            "REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC",
            "GRANT TEMPORARY ON DATABASE {} TO {}",
        ):
            _tolerating_a_race(connection, sql.SQL(statement).format(database, sql.Identifier(JOBS_ROLE)))
    for (function,) in connection.execute(_LARGE_OBJECTS).fetchall():
        revoke = sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC").format(sql.SQL(function))
        _tolerating_a_race(connection, revoke)


def _tolerating_a_race(connection: psycopg.Connection, statement: sql.Composed) -> None:
    for _ in range(20):
        try:
            connection.execute(statement)
        except (errors.DuplicateObject, errors.UniqueViolation):
            return
        except errors.InternalError_ as error:  # "tuple concurrently updated"
            if "concurrently" not in str(error):
                raise
        else:
            return


def _can_connect(url: str) -> bool:
    try:
        psycopg.connect(libpq_url(url), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
