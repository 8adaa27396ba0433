"""A small pretend shop on this machine, to try connections with: `make shop`."""
