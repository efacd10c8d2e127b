"""Every setting of every service: its environment variable, default, bounds and meaning.

Nothing else reads the environment.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from common.errors import ConfigurationError

MEBIBYTE = 1024 * 1024
STACK_ENV = Path(__file__).parent.parent / ".data" / "stack.env"
"""Written by the local stack (`make up`), so that a shell in the checkout needs no variables of its own."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError("must be a whole number") from None
        if not low <= value <= high:
            raise ValueError(f"must be from {low:,} to {high:,}")
        return value

    return parse


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("must be a number of seconds") from None
    if not 0 < value <= 86_400:
        raise ValueError("must be seconds, more than 0 and at most 86,400")
    return value


def _delays(text: str) -> tuple[int, ...]:
    values = tuple(_integer(1, 86_400)(part) for part in text.split(",") if part.strip())
    if not values or list(values) != sorted(set(values)):
        raise ValueError("must be rising whole seconds, such as 5,30,300")
    return values


def _boolean(text: str) -> bool:
    try:
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
    except KeyError:
        raise ValueError("must be true or false") from None


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text

    return parse


def _formats(text: str) -> tuple[str, ...]:
    return tuple(_one_of("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")(part.strip().upper()) for part in text.split(","))


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not text.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"must be a URL that starts with {schemes[0]}://")
        # Otherwise a part of the password would be read as a port, a path or an address, and be told in an error.
        authority, *rest = re.split(r"[/?#]", text.partition("://")[2], maxsplit=1)
        if "@" in "".join(rest) or re.search(r"[][]", authority.rpartition("@")[0]):
            raise ValueError("must have its user name and password percent-encoded")
        return text

    return parse


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9.-]{0,32}", text):
        raise ValueError("must be at most 32 of a-z, 0-9, dot and hyphen")
    return text


def _secret(text: str) -> str:
    if text and len(text) < 16:
        raise ValueError("must have at least 16 characters")
    return text


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(part.strip() for part in text.split(",") if part.strip())
    if not all(re.fullmatch(r"[A-Za-z0-9._~+/-]{16,256}=*", key) for key in keys):
        raise ValueError("must be keys of at least 16 letters, digits or . _ ~ + / -, with commas between them")
    return keys


def _host_names(text: str) -> tuple[str, ...]:
    names = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not all(re.fullmatch(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?", name) for name in names):
        raise ValueError("must be names of hosts, such as images.example.com, with commas between them and no ports")
    return names


def setting(default: str, parse: Callable[[str], Any], meaning: str) -> Any:
    """Describe one setting: its default as it would stand in the environment, its parser, its meaning."""
    return field(metadata={"default": default, "parse": parse, "meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings; a field's environment variable is its name in capitals."""

    amqp_url: str = setting("amqp://127.0.0.1:5672/%2F", _url("amqp", "amqps"), "RabbitMQ, with user and password")
    mongo_url: str = setting(
        "mongodb://127.0.0.1:27017/graymill", _url("mongodb", "mongodb+srv"), "MongoDB, with the database's name"
    )
    amqp_prefix: str = setting("", _prefix, "put before the name of every exchange and queue")
    amqp_heartbeat_seconds: int = setting("30", _integer(5, 600), "how soon a dead connection is noticed")
    queue_type: str = setting("quorum", _one_of("quorum", "classic"), "type of all queues")
    queue_max_bytes: int = setting(
        str(1024 * MEBIBYTE), _integer(MEBIBYTE, 1 << 40), "a fuller queue of images makes its publishers wait"
    )
    retry_delays_seconds: tuple[int, ...] = setting(
        "5,30,300", _delays, "waits before another try after a transient error"
    )
    held_bytes: int = setting(
        str(64 * MEBIBYTE), _integer(MEBIBYTE, 1 << 40), "a worker takes nothing new while it holds more than this"
    )

    max_body_bytes: int = setting(str(15 * MEBIBYTE), _integer(1, 15 * MEBIBYTE), "largest image fetched")
    max_gray_bytes: int = setting(str(15 * MEBIBYTE), _integer(1, 15 * MEBIBYTE), "largest gray image stored")
    max_pixels: int = setting("40000000", _integer(1, 178_956_970), "most pixels an image may have")
    image_formats: tuple[str, ...] = setting("PNG,JPEG,GIF,WEBP,BMP", _formats, "decoded formats; TIFF can be added")
    decode_seconds: float = setting("20", _seconds, "for decoding an image; then the process that does it is replaced")
    decode_memory_bytes: int = setting(
        str(832 * MEBIBYTE),
        _integer(16 * MEBIBYTE, 1 << 40),
        "memory that decoding an image may take; 20 bytes for each of MAX_PIXELS are enough",
    )
    keep_originals: bool = setting("true", _boolean, "store the bytes as received beside the gray image")

    max_url_length: int = setting("2048", _integer(16, 8192), "longest URL, in characters")
    max_redirects: int = setting("5", _integer(0, 20), "most redirects followed")
    connect_timeout_seconds: float = setting("5", _seconds, "for a connection to a host")
    idle_timeout_seconds: float = setting("10", _seconds, "for the next byte of an answer")
    total_timeout_seconds: float = setting("60", _seconds, "for a whole download, redirects included")
    retry_after_max_seconds: float = setting("3600", _seconds, "longest wait granted to a Retry-After")
    fetch_concurrency: int = setting("32", _integer(1, 256), "downloads at once in one fetcher")
    fetch_per_host: int = setting("16", _integer(1, 256), "of these, at most so many from one host")
    fetch_host_failures: int = setting(
        "10", _integer(1, 1_000), "a host that fails so often in a row is left alone for a while, then for longer"
    )
    fetch_robots: str = setting(
        "pages", _one_of("pages", "all", "none"), "what robots.txt is heeded for: pages; images as well; nothing"
    )
    fetch_allow_nets: tuple[Network, ...] = setting(
        "", _networks, "non-public networks that may be fetched from, such as 127.0.0.2/32"
    )
    fetch_contact: str = setting("", str, "a URL or address in the User-Agent, for those who are fetched from")
    honour_opt_out: bool = setting("true", _boolean, "refuse images marked X-Robots-Tag: noai or noimageai")

    scrape_concurrency: int = setting("4", _integer(1, 64), "pages fetched and read at once in one scraper")
    page_max_images: int = setting("500", _integer(1, 5_000), "most images taken from one page")
    webhook_secret: str = setting("", _secret, "signs what is told to webhooks; without it none are taken")

    api_host: str = setting("127.0.0.1", str, "address the API listens on")
    api_port: int = setting("5000", _integer(0, 65_535), "port the API listens on")
    api_threads: int = setting("8", _integer(1, 128), "requests answered at once")
    api_max_body_bytes: int = setting(str(MEBIBYTE), _integer(1024, 1 << 30), "largest request body")
    api_max_urls: int = setting("10000", _integer(1, 1_000_000), "most URLs in one request")
    api_writes: str = setting("keys", _one_of("keys", "open"), "who may hand in, retry and delete: `open` is everybody")
    api_keys: tuple[str, ...] = setting("", _keys, "the keys for that; several while they are being replaced")
    api_requests_per_minute: int = setting(
        "600", _integer(0, 1_000_000), "of one address or key: writes, and separately costly reads; 0: any number"
    )
    api_hosts: tuple[str, ...] = setting(
        "", _host_names, "names that the API is asked by, beside localhost, API_HOST and addresses"
    )
    api_trusted_proxies: int = setting(
        "0", _integer(0, 10), "proxies in front of the API, each of which adds to X-Forwarded-For"
    )

    stalled_seconds: float = setting(
        "300", _seconds, "after so long without any movement, pending items are taken for lost, and named"
    )

    samples_list: str = setting("", str, "file of URLs that the home page offers to try; empty: it offers none")

    health_file: str = setting("", str, "a worker touches it every 5 s while it is connected and takes messages")
    metrics_host: str = setting("127.0.0.1", str, "address a worker's metrics are served on")
    metrics_port: int = setting(
        "0", _integer(0, 65_535), "port of them; 0: none are served, and the API has its own at /metrics"
    )
    log_level: str = setting("INFO", _one_of("DEBUG", "INFO", "WARNING", "ERROR"), "least severe line logged")
    log_format: str = setting("plain", _one_of("plain", "json"), "form of the log lines")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Build the settings from variables; raises ConfigurationError with one line that names the bad one."""
        values = {}
        for description in fields(cls):
            name = description.name.upper()
            text = environ.get(name, description.metadata["default"]).strip()
            try:
                values[description.name] = description.metadata["parse"](text)
            except ValueError as error:
                # A URL may have a password in it, however badly it is written.
                shown = "" if name.endswith(("_URL", "_SECRET", "_KEYS")) else f", not {text!r:.80}"
                raise ConfigurationError(f"{name}: {error}{shown}") from error
        return cls(**values)

    @classmethod
    def load(cls) -> "Settings":
        """Read the process's environment, over what the local stack has written down."""
        written = {name: value for name, value in dotenv_values(STACK_ENV).items() if value is not None}
        return cls.from_environ({**written, **os.environ})
