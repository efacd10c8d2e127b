"""Which addresses are connected to, and which names are looked up at all."""

import ipaddress
import socket
import threading
from collections.abc import Sequence

import pytest

from common.errors import ItemError, Permanent, Transient
from common.fetching.addresses import DENIED, Resolver, is_public
from common.fetching.lookups import Lookups, by_the_system
from common.reasons import Reason

NON_PUBLIC = [
    # IPv4: each special network's first and last address
    *("0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.100.100.200", "100.127.255.255"),
    *("127.0.0.0", "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255"),
    *("172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.88.99.0"),
    *("192.88.99.255", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.0"),
    *("198.51.100.255", "203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0"),
    *("255.255.255.255", "168.63.129.16"),
    # IPv6: unspecified, loopback, compatible, mapped, translated, NAT64, discard, Teredo, ORCHID, documentation, 6to4
    *("::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::", "100::ffff:ffff:ffff:ffff", "2001::1"),
    *("2001:0:7f00:1::1", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:20::1", "2001:db8::1", "2002::1"),
    *("2002:7f00:1::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::1", "3fff:fff::1", "5f00::1"),
    # unique local, link-local, site-local, multicast, and what nobody has been given
    *("fc00::", "fd00:ec2::254", "fdff:ffff::1", "fe80::1", "febf:ffff::1", "fec0::1", "feff::1", "ff00::", "ff02::1"),
    *("1fff:ffff::1", "4000::1", "8000::1", "fbff:ffff::1"),
]
PUBLIC = [
    *("1.0.0.0", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"),
    *("126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0"),
    *("191.255.255.255", "192.0.1.0", "192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0"),
    *("198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0"),
    *("223.255.255.255", "168.63.129.15", "168.63.129.17", "2000::1", "2001:200::1", "2001:db7:ffff::1"),
    *("2001:db9::1", "2003::1", "2600::1", "2a00:1450:4001:81b::200e", "3ffe:ffff::1", "::ffff:8.8.8.8"),
]
LOOPBACK_IN_OTHER_WORDS = ["2130706433", "017700000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "0x7f.0.0.0x1"]
PRIVATE_NAMES = [
    *("localhost", "LOCALHOST.", "mongo", "rabbitmq", "0x7f000001", "a", "x.localhost", "deep.x.localhost."),
    *("printer.local", "x.internal", "metadata.google.internal", "router.home.arpa", "local.", "ai"),
]
ALLOWED = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("10.1.0.0/16")]


class NameServer:
    """Answers from a table, and notes what it is asked."""

    def __init__(self, **names: Sequence[str]) -> None:
        self.names = {name.replace("_", "."): list(addresses) for name, addresses in names.items()}
        self.asked: list[str] = []

    def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.names[host]


def failing(error: BaseException) -> Resolver:
    def look_up(_host: str) -> list[str]:
        raise error

    return Resolver([], timeout_seconds=5, look_up=look_up)


def refusal(resolver: Resolver, host: str) -> ItemError:
    with pytest.raises(ItemError) as caught:
        resolver.resolve(host)
    return caught.value


def addresses(resolver: Resolver, host: str) -> list[str]:
    return [str(address) for address in resolver.resolve(host)]


def test_enough_addresses_are_tried() -> None:
    assert len({*NON_PUBLIC, *PUBLIC}) >= 100


@pytest.mark.parametrize("address", NON_PUBLIC)
def test_an_address_that_is_not_public_is_refused_by_itself_and_behind_a_name(address: str) -> None:
    server = NameServer(host_example=[address])
    resolver = Resolver([], timeout_seconds=5, look_up=server)
    assert not is_public(ipaddress.ip_address(address), [])
    assert refusal(resolver, address).reason is Reason.BLOCKED_ADDRESS
    assert server.asked == []
    assert refusal(resolver, "host.example").reason is Reason.BLOCKED_ADDRESS


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_connected_to(address: str) -> None:
    resolver = Resolver([], timeout_seconds=5, look_up=NameServer(host_example=[address]))
    assert resolver.resolve("host.example") == [ipaddress.ip_address(address)] == resolver.resolve(address)


@pytest.mark.parametrize("network", DENIED, ids=str)
def test_the_edges_of_every_denied_network_are_denied(network: ipaddress.IPv4Network) -> None:
    assert not is_public(network[0], [])
    assert not is_public(network[-1], [])


@pytest.mark.parametrize("host", LOOPBACK_IN_OTHER_WORDS)
def test_numbers_that_only_the_systems_resolver_reads_are_refused(host: str) -> None:
    error = refusal(Resolver([], timeout_seconds=5), host)
    assert error.reason is Reason.BLOCKED_ADDRESS
    assert "127.0.0.1" in error.detail


@pytest.mark.parametrize("name", PRIVATE_NAMES)
def test_a_name_of_a_private_network_is_refused_without_being_looked_up(name: str) -> None:
    server = NameServer()
    error = refusal(Resolver([], timeout_seconds=5, look_up=server), name.lower())
    assert error.reason is Reason.BLOCKED_ADDRESS
    assert server.asked == []


@pytest.mark.parametrize(
    "mixture", [["8.8.8.8", "10.0.0.1"], ["::1", "8.8.8.8"], ["8.8.8.8", "1.1.1.1", "fe80::1%eth0"]]
)
def test_one_private_address_among_public_ones_refuses_the_host(mixture: list[str]) -> None:
    resolver = Resolver([], timeout_seconds=5, look_up=NameServer(host_example=mixture))
    assert refusal(resolver, "host.example").reason is Reason.BLOCKED_ADDRESS


def test_an_allowed_network_is_connected_to_and_its_neighbours_are_not() -> None:
    server = NameServer(inside_example=["10.1.2.3"], mapped_example=["::ffff:127.0.0.9"], beside_example=["10.2.0.1"])
    resolver = Resolver(ALLOWED, timeout_seconds=5, look_up=server)
    assert addresses(resolver, "127.0.0.2") == ["127.0.0.2"]
    assert addresses(resolver, "inside.example") == ["10.1.2.3"]
    assert addresses(resolver, "mapped.example") == ["::ffff:7f00:9"]
    assert refusal(resolver, "beside.example").reason is Reason.BLOCKED_ADDRESS
    assert refusal(resolver, "192.168.0.1").reason is Reason.BLOCKED_ADDRESS


def test_a_private_name_may_lead_into_an_allowed_network_and_nowhere_else() -> None:
    server = NameServer(samples=["127.0.0.2"], mongo=["172.18.0.2"], outside=["8.8.8.8"])
    resolver = Resolver(ALLOWED, timeout_seconds=5, look_up=server)
    assert addresses(resolver, "samples") == ["127.0.0.2"]
    assert refusal(resolver, "mongo").reason is Reason.BLOCKED_ADDRESS
    assert refusal(resolver, "outside").reason is Reason.BLOCKED_ADDRESS


def test_addresses_of_ipv4_come_first_and_otherwise_in_the_order_of_the_answer() -> None:
    server = NameServer(host_example=["2600::2", "8.8.8.8", "2600::1", "1.1.1.1"])
    resolver = Resolver([], timeout_seconds=5, look_up=server)
    assert addresses(resolver, "host.example") == ["8.8.8.8", "1.1.1.1", "2600::2", "2600::1"]


def test_a_name_is_looked_up_once_so_that_it_cannot_change_its_mind() -> None:
    server = NameServer(host_example=["8.8.8.8"])
    resolver = Resolver([], timeout_seconds=5, look_up=server)
    resolver.resolve("host.example")
    server.names["host.example"] = ["127.0.0.1"]
    assert addresses(resolver, "host.example") == ["8.8.8.8"]
    assert server.asked == ["host.example"]


def test_names_beyond_the_bound_are_forgotten_and_looked_up_again() -> None:
    server = NameServer(**{f"h{number}_example": ["8.8.8.8"] for number in range(4)})
    resolver = Resolver([], timeout_seconds=5, look_up=server, most_names=3)
    for number in (0, 1, 2, 3, 3, 2, 1, 0):
        resolver.resolve(f"h{number}.example")
    assert server.asked == ["h0.example", "h1.example", "h2.example", "h3.example", "h0.example"]


def test_a_refusal_is_not_kept_as_an_answer() -> None:
    server = NameServer()
    resolver = Resolver([], timeout_seconds=5, look_up=server)
    assert isinstance(refusal(resolver, "host.example"), Permanent)
    server.names["host.example"] = ["8.8.8.8"]
    assert addresses(resolver, "host.example") == ["8.8.8.8"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror(socket.EAI_NONAME, "not known"), Permanent),
        (socket.gaierror(socket.EAI_NODATA, "no address"), Permanent),
        (UnicodeError("label too long"), Permanent),
        (socket.gaierror(socket.EAI_AGAIN, "temporary failure"), Transient),
        (socket.gaierror(socket.EAI_SYSTEM, "too many open files"), Transient),
        (OSError(24, "too many open files"), Transient),
    ],
)
def test_only_a_name_that_does_not_exist_is_given_up_at_once(error: Exception, kind: type[ItemError]) -> None:
    refused = refusal(failing(error), "host.example")
    assert type(refused) is kind
    assert refused.reason is Reason.DNS


def test_an_answer_without_addresses_is_an_unknown_name() -> None:
    error = refusal(Resolver([], timeout_seconds=5, look_up=NameServer(host_example=[])), "host.example")
    assert (type(error), error.reason) == (Permanent, Reason.DNS)


def test_a_silent_name_server_is_waited_for_no_longer_than_asked() -> None:
    answering = threading.Event()

    def look_up(_host: str) -> list[str]:
        answering.wait(10)
        return ["8.8.8.8"]

    resolver = Resolver([], timeout_seconds=5, look_up=look_up)
    try:
        with pytest.raises(Transient, match="no answer within"):
            resolver.resolve("host.example", within_seconds=0.05)
    finally:
        answering.set()


def test_a_silent_name_server_keeps_nobody_from_other_names_and_no_process_alive() -> None:
    answering = threading.Event()

    def look_up(host: str) -> list[str]:
        if host.startswith("slow"):
            answering.wait(10)
        return ["8.8.8.8"]

    resolver = Resolver([], timeout_seconds=0.01, look_up=look_up)
    try:
        for number in range(50):
            with pytest.raises(Transient):
                resolver.resolve(f"slow{number}.example")
        stuck = [thread for thread in threading.enumerate() if thread.name == "lookup"]
        assert len(stuck) >= 50
        assert all(thread.daemon for thread in stuck)
        patient = Resolver([], timeout_seconds=5, look_up=look_up)
        assert addresses(patient, "fast.example") == ["8.8.8.8"]
    finally:
        answering.set()


def test_one_host_is_looked_up_once_at_a_time_however_many_ask() -> None:
    asked: list[str] = []
    everybody_asks = threading.Barrier(8)
    answering = threading.Event()

    def look_up(host: str) -> list[str]:
        asked.append(host)
        answering.wait(10)
        return ["8.8.8.8"]

    lookups = Lookups(look_up)
    found: list[Sequence[str]] = []

    def ask() -> None:
        everybody_asks.wait(10)
        found.append(lookups.find("host.example", 10))

    threads = [threading.Thread(target=ask) for _ in range(7)]
    for thread in threads:
        thread.start()
    everybody_asks.wait(10)
    with pytest.raises(TimeoutError):
        lookups.find("host.example", 1.0)
    answering.set()
    for thread in threads:
        thread.join(10)
    assert asked == ["host.example"]
    assert found == [["8.8.8.8"]] * 7


def test_more_look_ups_than_there_may_be_are_refused_instead_of_queued() -> None:
    answering = threading.Event()

    def look_up(_host: str) -> list[str]:
        answering.wait(10)
        return ["8.8.8.8"]

    lookups = Lookups(look_up, most_at_once=2)
    try:
        for host in ("a.example", "b.example"):
            with pytest.raises(TimeoutError, match="no answer"):
                lookups.find(host, 0.01)
        with pytest.raises(TimeoutError, match="too many"):
            lookups.find("c.example", 5)
    finally:
        answering.set()


def test_the_system_is_asked_for_all_addresses_of_a_name() -> None:
    assert "127.0.0.1" in by_the_system("localhost")
