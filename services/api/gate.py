"""Which requests are let in: those meant for us, not sent by another site's page, and not too many."""

import ipaddress
import math

from flask import g, request
from werkzeug.exceptions import Forbidden, MisdirectedRequest, TooManyRequests

from services.api.declared import is_reading
from services.api.resources import resources

OTHER_HOST = "The API does not go by the name {host!r:.80}; where it should, set `API_HOSTS` to that name."
OTHER_SITE = "This came from a page of another site; only pages of this one may send it."
TOO_MANY = "These are too many requests at once; try again after {seconds} s."


def refuse_other_hosts() -> None:
    """Raise MisdirectedRequest. Without a host it is taken, as no browser sends such a request."""
    host = request.headers.get("Host")
    if host and not resources().hosts.takes(host):
        raise MisdirectedRequest(OTHER_HOST.format(host=host))


def refuse_other_sites() -> None:
    """Take what changes something only from our own pages and from programs, which send neither of these headers.

    Sec-Fetch-Site is what browsers say of a request (W3C, Fetch Metadata); to addresses without TLS they send Origin.
    """
    if is_reading(request):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        ours = site in ("same-origin", "none")
    else:
        ours = origin is None or origin.partition("://")[2].lower() == request.host.lower()
    if not ours:
        raise Forbidden(OTHER_SITE)


def refuse_too_many() -> None:
    """Raise TooManyRequests; writes and costly reads are counted apart, each by address and by key."""
    if not resources().declared.is_limited(request):
        return
    limit = resources().read_limit if is_reading(request) else resources().write_limit
    seconds = math.ceil(max(limit.wait_seconds(client) for client in (_network(), g.key) if client is not None))
    if seconds:
        raise TooManyRequests(TOO_MANY.format(seconds=seconds), retry_after=seconds)


def _network() -> str:
    """Give the address of who asks; of IPv6 its network, all of whose addresses one client has."""
    address = request.remote_addr or ""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    return address if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))
