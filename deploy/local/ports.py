"""Loopback ports: which are free, and which of the stack's are taken by somebody else."""

import socket
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


def is_taken(host: str, port: int) -> bool:
    """Tell whether nothing more can listen on this address."""
    with socket.socket() as probe:
        # As the servers themselves do, so that connections of an earlier run that still linger do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError:
            return True
    return False


def free_ports(count: int) -> list[int]:
    """Give different loopback ports that were free a moment ago."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]
