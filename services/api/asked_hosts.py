"""By which names the API is asked.

A page of another site may have its own name lead to our address (DNS rebinding), and would then count as one of our
pages. So a name is taken only when it is known; an address is nobody's name and always is.
"""

import ipaddress
import re
from dataclasses import dataclass

from common.settings import Settings

LOCAL = "localhost"
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?", re.IGNORECASE)


@dataclass(frozen=True)
class AskedHosts:
    """The names that are taken."""

    names: frozenset[str]

    @classmethod
    def of(cls, settings: Settings) -> "AskedHosts":
        """Take those of the settings."""
        return cls(frozenset({LOCAL, settings.api_host.lower(), *settings.api_hosts}))

    def takes(self, header: str) -> bool:
        """Tell whether a request with this `Host` is for us."""
        found = HOST.fullmatch(header)
        if found is None:
            return False
        host = found[1].lower().removesuffix(".")
        return host in self.names or host.endswith(f".{LOCAL}") or _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
