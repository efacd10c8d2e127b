"""A URL, read once: whatever is connected to or asked for is built from these parts, never from the text again."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import idna

from common.errors import Permanent
from common.reasons import Reason

PORTS = {"http": 80, "https": 443}
HIGHEST_PORT = 65_535
CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]*)(?::([0-9]*))?")
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"(?=.{{1,254}}\Z){LABEL}(?:\.{LABEL})*\.?")
ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
SENT_AS_IT_IS = "!$&'()*+,;=:@/%~"
"""What stands in a path for itself (RFC 3986, 3.3), and the percent sign of what is encoded already."""


@dataclass(frozen=True, slots=True)
class Target:
    """`host` is ASCII in lower case, without brackets; `path` begins with a slash and has the query with it."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What stands in the Host header (RFC 9112, 3.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL, with a host and a path that can be sent."""
        return f"{self.scheme}://{self.authority}{self.path}"


def read_target(url: str, *, max_length: int) -> Target:
    """Read a URL (RFC 3986) that can be fetched; raises Permanent with `invalid_url`."""
    url = url.strip(" ")
    if len(url) > max_length:
        raise _invalid(f"longer than {max_length:,} characters")
    if CONTROLS.search(url):
        raise _invalid("a control character")  # looked for first: urlsplit leaves some of them out in silence
    try:
        url.encode()
        parts = urlsplit(url)
    except ValueError as error:
        raise _invalid(str(error)) from error
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise _invalid(f"scheme {scheme!r:.40} is neither http nor https")
    host, port = _host_and_port(parts.netloc)
    target = Target(scheme, host, PORTS[scheme] if port is None else port, _path_and_query(parts.path, parts.query))
    if len(target.url) > max_length:
        raise _invalid(f"longer than {max_length:,} characters once it is encoded")
    return target


def redirected(target: Target, location: str, *, max_length: int) -> Target:
    """Give where a redirect leads; raises Permanent."""
    # The Location's bytes come as Latin-1; those outside ASCII are UTF-8 in practice.
    location = location.encode("latin-1", "replace").decode("utf-8", "replace").strip(" \t")
    if CONTROLS.search(location):
        raise _invalid("a control character in the Location")
    try:
        url = urljoin(target.url, location)
    except ValueError as error:
        raise _invalid(str(error)) from error
    return read_target(url, max_length=max_length)


def _host_and_port(netloc: str) -> tuple[str, int | None]:
    # Read by a pattern of ours: the standard library takes `127.0.0.1:80\@example.com` and `x[::1]y` for hosts.
    if "@" in netloc:
        raise _invalid("a user name or password")
    match = AUTHORITY.fullmatch(netloc)
    if match is None:
        raise _invalid("neither a host nor a host and a port")
    host, port = match.groups()
    number = int(port) if port else None
    if number is not None and not 0 < number <= HIGHEST_PORT:
        raise _invalid(f"port {port:.20}")
    return (_ipv6(host[1:-1]) if host.startswith("[") else _name(host)), number


def _ipv6(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError as error:
        raise _invalid(str(error)) from error


def _name(host: str) -> str:
    try:
        name = host.lower() if host.isascii() else idna.encode(host, uts46=True).decode().lower()
    except idna.IDNAError as error:
        raise _invalid(f"host name: {error}"[:200]) from error
    if not NAME.fullmatch(name):
        raise _invalid("not a host name" if name else "no host name")
    return name


def _path_and_query(path: str, query: str) -> str:
    path = _without_dot_segments(_encoded(path or "/"))
    return f"{path}?{_encoded(query, '?')}" if query else path


def _encoded(text: str, also_as_it_is: str = "") -> str:
    """Percent-encode what has to be and is not; a percent sign that encodes nothing is text as well."""
    return quote(
        ESCAPE.sub(lambda escape: escape[0].upper() if escape[1] else "%25", text), SENT_AS_IT_IS + also_as_it_is
    )


def _without_dot_segments(path: str) -> str:
    """Take `.` and `..` out (RFC 3986, 5.2.4), as browsers do before they ask."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        dots = segment.replace("%2E", ".")
        if dots == "..":
            del kept[-1:]
        elif dots != ".":
            kept.append(segment)
    if dots in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _invalid(detail: str) -> Permanent:
    return Permanent(Reason.INVALID_URL, detail)
