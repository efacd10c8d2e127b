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
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

from common.errors import Permanent, Transient
from common.reasons import Reason
from common.settings import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

DENIED: Sequence[Network] = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # IPv6: unspecified, loopback and IPv4-compatible; NAT64; discard; Teredo and other protocol assignments;
        # documentation; 6to4; segment routing; unique local; link-local; site-local; multicast.
        *("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16"),
        *("3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)
PRIVATE_NAMES = ("localhost", "local", "internal", "home.arpa")
LIFETIME_SECONDS = 60.0
MOST_NAMES = 10_000


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

    The connection is then made to the address given here. A name that changes between a check and a second look-up
    has no second look-up to change for.
    """

    def __init__(self, allowed: Sequence[Network], *, timeout_seconds: float) -> None:
        self._allowed = allowed
        self._timeout_seconds = timeout_seconds
        self._known: OrderedDict[str, tuple[float, list[Address]]] = OrderedDict()
        self._lock = threading.Lock()
        # getaddrinfo has no time-out of its own, so it is waited for from outside.
        self._lookups = ThreadPoolExecutor(16, thread_name_prefix="lookup")

    def resolve(self, host: str) -> Address:
        """Give an address of the host; raises Permanent (blocked_address) or Transient (dns)."""
        if _is_private_name(host) and not self._allowed:
            raise _blocked(f"{host} is a name of a private network")
        addresses = self._addresses(host)
        for address in addresses:
            if not is_public(address, self._allowed):
                raise _blocked(f"{host} is at {address}")
        if _is_private_name(host) and not all(is_in(address, self._allowed) for address in addresses):
            raise _blocked(f"{host} is a name of a private network")
        return min(addresses, key=lambda address: address.version)

    def _addresses(self, host: str) -> list[Address]:
        try:
            return [ipaddress.ip_address(host)]
        except ValueError:
            pass  # a name, or a number in a form that only the system's resolver reads
        now = time.monotonic()
        with self._lock:
            expires, addresses = self._known.get(host, (0.0, []))
        if expires < now:
            addresses = self._look_up(host)
            with self._lock:
                self._known[host] = (now + LIFETIME_SECONDS, addresses)
                self._known.move_to_end(host)
                while len(self._known) > MOST_NAMES:
                    self._known.popitem(last=False)
        return addresses

    def _look_up(self, host: str) -> list[Address]:
        try:
            looked_up = self._lookups.submit(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
            found = looked_up.result(self._timeout_seconds)
        except FutureTimeout as error:
            raise Transient(Reason.DNS, f"no answer within {self._timeout_seconds:g} s") from error
        except (OSError, UnicodeError) as error:
            temporary = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
            raise (Transient if temporary else Permanent)(Reason.DNS, str(error)) from error
        # A scope (fe80::1%eth0) is cut off: the address is refused with or without it.
        return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _is_private_name(host: str) -> bool:
    """Tell a name that no public host has: a single label (a neighbouring container), or below a private suffix."""
    if ":" in host or host.replace(".", "").isdigit():
        return False
    name = host.rstrip(".")
    return "." not in name or name.rpartition(".")[2] in PRIVATE_NAMES or name.endswith(".home.arpa")


def _blocked(detail: str) -> Permanent:
    return Permanent(Reason.BLOCKED_ADDRESS, detail)
