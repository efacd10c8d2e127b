"""The host of a URL, as the ledger notes it beside each item."""

import re

MOST_CHARACTERS = 253
"""As long as a host's name in the DNS can be, written with dots."""

_AUTHORITY = re.compile(r"[a-z][a-z0-9+.-]*:[/\\]{2}([^/?#\\\s]+)", re.IGNORECASE | re.ASCII)


def host_of(url: str) -> str | None:
    """Give the host that a URL names: in lower case, without user and port; None when it names none.

    It is a label to count by: cheap, never an error, and no check of what may be fetched.
    """
    found = _AUTHORITY.match(url)
    if found is None:
        return None
    host_and_port = found[1].rpartition("@")[2]
    if host_and_port.startswith("["):
        host = host_and_port[: host_and_port.find("]") + 1]
    else:
        host = host_and_port.partition(":")[0]
    return host.lower()[:MOST_CHARACTERS].rstrip(".") or None
