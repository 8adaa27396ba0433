"""What all tests share: fixtures, and the count of the tests that were run again."""

from tests.support.chromium import browser, context, page, pytest_runtest_makereport, shared_context
from tests.support.databases import database, new_cluster, server_url, template_database
from tests.support.portal import mailbox, portal, rested
from tests.support.reruns import pytest_configure

__all__ = [
    "browser",
    "context",
    "database",
    "mailbox",
    "new_cluster",
    "page",
    "portal",
    "pytest_configure",
    "pytest_runtest_makereport",
    "rested",
    "server_url",
    "shared_context",
    "template_database",
]
