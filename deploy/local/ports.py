"""Loopback ports: which are free, and which of the stack's are taken by somebody else."""

import errno
import socket
from contextlib import ExitStack

from deploy.local.errors import StackError

LOOPBACK = "127.0.0.1"


def is_taken(host: str, port: int) -> bool:
    """Tell whether somebody listens there; raises StackError for an address that nothing here can listen on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As the servers themselves do, so that connections of an earlier run that still linger do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise StackError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return False


def free_ports(count: int) -> list[int]:
    """Give different loopback ports that were free a moment ago."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]
