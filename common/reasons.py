"""The closed list of reasons for which an item ends as an error."""

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """Why an item has no image."""

    INVALID_URL = "invalid_url"
    BLOCKED_ADDRESS = "blocked_address"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    RATE_LIMITED = "rate_limited"
    REDIRECT_LIMIT = "redirect_limit"
    TOO_LARGE = "too_large"
    EMPTY_BODY = "empty_body"
    INCOMPLETE_BODY = "incomplete_body"
    NOT_AN_IMAGE = "not_an_image"
    FORMAT_NOT_ALLOWED = "format_not_allowed"
    TOO_MANY_PIXELS = "too_many_pixels"
    TRUNCATED = "truncated"
    DECODE = "decode"
    GRAY_TOO_LARGE = "gray_too_large"
    OPT_OUT = "opt_out"
    ROBOTS = "robots"
    POISON = "poison"
    NOT_HTML = "not_html"
    CANCELLED = "cancelled"


MEANINGS: Mapping[Reason, str] = {
    Reason.INVALID_URL: "not an http or https URL that can be asked: scheme, host, port, length, user name",
    Reason.BLOCKED_ADDRESS: "the host resolves to an address that is not public",
    Reason.DNS: "the host's name does not resolve",
    Reason.CONNECT: "no connection: refused, unreachable or reset before an answer",
    Reason.TLS: "the certificate is not valid for the host, or no TLS connection came about",
    Reason.TIMEOUT: "no connection, no byte for too long, or the whole took too long",
    Reason.HTTP_4XX: "the server answered with a 4xx status (kept beside it)",
    Reason.HTTP_5XX: "the server answered with a 5xx status (kept beside it)",
    Reason.RATE_LIMITED: "429, or a longer wait asked for than we grant",
    Reason.REDIRECT_LIMIT: "too many redirects, a loop, or a redirect that leads nowhere",
    Reason.TOO_LARGE: "the body is larger than MAX_BODY_BYTES",
    Reason.EMPTY_BODY: "the answer has no body",
    Reason.INCOMPLETE_BODY: "the connection ended before the whole body had come",
    Reason.NOT_AN_IMAGE: "the bytes are no image",
    Reason.FORMAT_NOT_ALLOWED: "an image format that is not in IMAGE_FORMATS; it is not decoded",
    Reason.TOO_MANY_PIXELS: "more pixels than MAX_PIXELS, by the image's header",
    Reason.TRUNCATED: "the image ends before its last pixel",
    Reason.DECODE: "the image is damaged, or takes more memory to decode than DECODE_MEMORY_BYTES",
    Reason.GRAY_TOO_LARGE: "the gray version is larger than MAX_GRAY_BYTES",
    Reason.OPT_OUT: "the server asks not to use the image (X-Robots-Tag: noai, noimageai)",
    Reason.ROBOTS: "the site's robots.txt asks not to fetch it",
    Reason.POISON: "what works on it dies of it or fails as nobody foresaw; the message is among the dead letters",
    Reason.NOT_HTML: "a page was asked for and the answer is no HTML",
    Reason.CANCELLED: "its task was deleted before it had an outcome",
}
"""The README's table of reasons."""
