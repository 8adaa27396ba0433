"""What all tests share: the fixtures of tests/support, and how often a test may be run again (tests/support/reruns)."""

from tests.support.chromium import browser, context, page, pytest_runtest_makereport
from tests.support.databases import database, new_cluster, server_url, template_database
from tests.support.portal import mailbox, portal, rested

__all__ = [
    "browser",
    "context",
    "database",
    "mailbox",
    "new_cluster",
    "page",
    "portal",
    "pytest_runtest_makereport",
    "rested",
    "server_url",
    "template_database",
]
