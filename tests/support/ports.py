"""Ports for servers that tests start."""

import socket


def free_port() -> int:
    """A port of localhost that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])
