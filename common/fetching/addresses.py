"""Which addresses may be connected to: public ones, and those of networks that were allowed by name.

Python's own `is_global` lets transition forms through that lead to private addresses, so this is a list of our own,
after the IANA special-purpose registries (RFC 6890 and its updates).
"""

import ipaddress
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence

from common.errors import ItemError, Permanent, Transient
from common.fetching.lookups import LookUp, Lookups, by_the_system
from common.reasons import Reason
from common.settings import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

DENIED: Sequence[Network] = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # A public address by the registries, and the one at which a cloud's machines find their host.
        "168.63.129.16/32",
        # All of IPv6 that is not global unicast (2000::/3). Among it: unspecified, loopback, IPv4-compatible and
        # -translated, NAT64, discard, segment routing, unique local, link-local, site-local, multicast.
        *("::/3", "4000::/2", "8000::/1"),
        # Inside global unicast: Teredo and other protocol assignments; documentation; 6to4; documentation again.
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
PRIVATE_NAMES = ("localhost", "local", "internal", "home.arpa")
LIFETIME_SECONDS = 60.0
MOST_NAMES = 10_000
NO_SUCH_NAME = (socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_ADDRFAMILY)


def is_public(address: Address, allowed: Sequence[Network]) -> bool:
    """Tell whether the address may be connected to."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return is_in(address, allowed) or not is_in(address, DENIED)


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    """Tell whether the address lies in one of the networks."""
    return any(address.version == network.version and address in network for network in networks)


class Resolver:
    """Looks host names up and refuses those that lead to an address that is not public.

    The connection is then made to an address given here. A name that changes between a check and a second look-up
    has no second look-up to change for.
    """

    def __init__(
        self,
        allowed: Sequence[Network],
        *,
        timeout_seconds: float,
        look_up: LookUp = by_the_system,
        most_names: int = MOST_NAMES,
    ) -> None:
        self._allowed = allowed
        self._timeout_seconds = timeout_seconds
        self._most_names = most_names
        self._known: OrderedDict[str, tuple[float, list[Address]]] = OrderedDict()
        self._lock = threading.Lock()
        self._lookups = Lookups(look_up)

    def resolve(self, host: str, *, within_seconds: float = float("inf")) -> list[Address]:
        """Give the host's addresses, IPv4 first; raises Permanent (blocked_address, dns) or Transient (dns)."""
        is_private = is_private_name(host)
        if is_private and not self._allowed:
            raise _blocked(f"{host} is a name of a private network")
        try:
            addresses = self._addresses(host, min(within_seconds, self._timeout_seconds))
        except ItemError as error:
            if is_private:
                raise _blocked(f"{host} is a name of a private network") from error
            raise
        for address in addresses:
            if not is_public(address, self._allowed):
                raise _blocked(f"{host} is at {address}")
            if is_private and not is_in(address, self._allowed):
                raise _blocked(f"{host} is a name of a private network")
        return sorted(addresses, key=lambda address: address.version)

    def _addresses(self, host: str, timeout_seconds: float) -> list[Address]:
        try:
            return [ipaddress.ip_address(host)]
        except ValueError:
            pass  # a name, or a number in a form that only the system's resolver reads
        now = time.monotonic()
        with self._lock:
            expires, addresses = self._known.get(host, (now, []))
        if expires <= now:
            addresses = self._look_up(host, timeout_seconds)
            with self._lock:
                self._known[host] = (now + LIFETIME_SECONDS, addresses)
                self._known.move_to_end(host)
                while len(self._known) > self._most_names:
                    self._known.popitem(last=False)
        return addresses

    def _look_up(self, host: str, timeout_seconds: float) -> list[Address]:
        try:
            found = self._lookups.find(host, timeout_seconds)
        except UnicodeError as error:
            raise Permanent(Reason.DNS, f"not a name that can be looked up: {error}"[:200]) from error
        except OSError as error:
            # Whatever else it is, silence or a lack of sockets here, may be over the next time.
            is_final = isinstance(error, socket.gaierror) and error.errno in NO_SUCH_NAME
            raise (Permanent if is_final else Transient)(Reason.DNS, str(error)) from error
        if not found:
            raise Permanent(Reason.DNS, "the name has no address")
        # A scope (fe80::1%eth0) is cut off: the address is refused with or without it.
        return [ipaddress.ip_address(address.partition("%")[0]) for address in found]


def is_private_name(host: str) -> bool:
    """Tell a name that no public host has: a single label (a neighbouring container), or below a private suffix."""
    name = host.rstrip(".")
    if ":" in name or name.replace(".", "").isdigit():
        return False
    return "." not in name or name.endswith(tuple(f".{suffix}" for suffix in PRIVATE_NAMES))


def _blocked(detail: str) -> Permanent:
    return Permanent(Reason.BLOCKED_ADDRESS, detail)
