"""Loopback ports: which are free, and which of the stack's are taken by somebody else."""

import errno
import random
import socket
from itertools import islice

from deploy.local.errors import StackError

LOOPBACK = "127.0.0.1"
SERVER_PORTS = range(10_000, 32_768)
"""Linux takes the local ports of connections from above, unless told otherwise."""


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
    """Give different loopback ports that nobody listens on.

    They lie below those that the system hands to connections, so that none is taken before its server starts.
    """
    candidates = random.sample(SERVER_PORTS, k=1_000)
    free = list(islice((port for port in candidates if not is_taken(LOOPBACK, port)), count))
    if len(free) < count:
        raise StackError(f"found no {count} free ports on {LOOPBACK}")
    return free
