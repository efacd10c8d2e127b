"""A URL, read once: whatever is connected to or asked for is built from these parts, never from the text again."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import idna
from requests.utils import requote_uri

from common.errors import Permanent
from common.reasons import Reason

PORTS = {"http": 80, "https": 443}
FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
HOST = re.compile(r"[a-z0-9._-]{1,253}")


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
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _invalid(str(error)) from error
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise _invalid(f"scheme {scheme!r:.40} is neither http nor https")
    if FORBIDDEN.search(parts.netloc) or _has_controls(url):
        raise _invalid("a space, a backslash or a control character where none may be")
    if "@" in parts.netloc:
        raise _invalid("a user name or password")
    if port == 0:
        raise _invalid("port 0")
    path = requote_uri((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    return Target(scheme, _host(parts.hostname or ""), port or PORTS[scheme], path)


def redirected(target: Target, location: str, *, max_length: int) -> Target:
    """Give where a redirect leads; raises Permanent."""
    # The Location's bytes come as Latin-1; those outside ASCII are UTF-8 in practice.
    location = location.encode("latin-1", "replace").decode("utf-8", "replace")
    try:
        return read_target(urljoin(target.url, location), max_length=max_length)
    except ValueError as error:
        raise _invalid(str(error)) from error


def _host(host: str) -> str:
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError as error:
            raise _invalid(str(error)) from error
    try:
        name = host.lower() if host.isascii() else idna.encode(host, uts46=True).decode().lower()
    except idna.IDNAError as error:
        raise _invalid(str(error)) from error
    if not HOST.fullmatch(name):
        raise _invalid("no host name" if not name else "a host name with characters that none can have")
    return name


def _has_controls(url: str) -> bool:
    return any(ord(character) < 32 or ord(character) == 127 for character in url)


def _invalid(detail: str) -> Permanent:
    return Permanent(Reason.INVALID_URL, detail)
