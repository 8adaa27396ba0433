"""The fixtures of delivery serve the headers of what arrives as well."""

from tests.services.delivery.conftest import people, server  # noqa: F401
