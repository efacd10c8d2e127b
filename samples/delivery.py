"""An encoded head and body in; how and how far they go down the wire out."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from samples.wire import Wire

Delivery = Callable[[Wire, bytes, bytes], None]

CHUNK = bytes(64 * 1024)
STEPS_PER_SECOND = 10


def at_once(wire: Wire, head: bytes, body: bytes) -> None:
    """In one piece: two small writes would wait for each other's acknowledgement (Nagle)."""
    wire.write(head + body)


def then_hang_up(wire: Wire, head: bytes, body: bytes) -> None:
    """All of it, then the connection closes."""
    wire.write(head + body)
    wire.hang_up()


def half_then_hang_up(wire: Wire, head: bytes, body: bytes) -> None:
    """The head and half of the body, then an orderly close."""
    wire.write(head + body[: len(body) // 2])
    wire.hang_up()


def half_then_reset(wire: Wire, head: bytes, body: bytes) -> None:
    """The head and half of the body, then a connection reset."""
    wire.write(head + body[: len(body) // 2])
    wire.reset()


def after(seconds: float) -> Delivery:
    """In one piece, but only after a wait."""

    def deliver(wire: Wire, head: bytes, body: bytes) -> None:
        wire.pause(seconds)
        wire.write(head + body)

    return deliver


def dripping(bytes_per_second: int) -> Delivery:
    """The head, then the body at a rate."""
    step_bytes = max(1, bytes_per_second // STEPS_PER_SECOND)

    def deliver(wire: Wire, head: bytes, body: bytes) -> None:
        wire.write(head)
        for start in range(0, len(body), step_bytes):
            wire.write(body[start : start + step_bytes])
            wire.pause(step_bytes / bytes_per_second)

    return deliver


def head_dripping(seconds_per_byte: float) -> Delivery:
    """One byte of the head at a time, which defeats a timeout that each byte starts anew."""

    def deliver(wire: Wire, head: bytes, body: bytes) -> None:
        for byte in head:
            wire.write(bytes([byte]))
            wire.pause(seconds_per_byte)
        wire.write(body)

    return deliver


def filled_with_zeros(total_bytes: int) -> Delivery:
    """The body, then zeros until `total_bytes` have gone out."""

    def deliver(wire: Wire, head: bytes, body: bytes) -> None:
        wire.write(head + body)
        for start in range(len(body), total_bytes, len(CHUNK)):
            wire.pause(0)
            wire.write(CHUNK[: total_bytes - start])

    return deliver


def without_end(wire: Wire, head: bytes, body: bytes) -> None:
    """The body as first chunk (RFC 9112, 7.1), then chunks of zeros until somebody goes away."""
    wire.write(head)
    for chunk in itertools.chain([body], itertools.repeat(CHUNK)):
        wire.pause(0)
        wire.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
