"""Sockets of which every read ends in time, and of which the head of an answer ends in size."""

import socket
import ssl
from typing import Any

from common.fetching.deadline import current_deadline

LONGEST_HEAD_BYTES = 64 * 1024
"""The standard library bounds a header's length and the number of headers: 6.5 MB in all, for each thread."""


class HeadTooLarge(ValueError):
    """The server has sent more before the body than any honest one does."""


class _BoundedReads:
    """A read waits at most the idle time, and never beyond the deadline of the download its thread is on."""

    head_bytes_left: int | None = None
    """What may still come of the head; None while a body is read. Part of a body may be read with it."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(current_deadline.get().remaining())  # type: ignore[attr-defined]
        received: int = super().recv_into(*args, **kwargs)  # type: ignore[misc]
        if self.head_bytes_left is not None:
            self.head_bytes_left -= received
            if self.head_bytes_left < 0:
                raise HeadTooLarge(f"more than {LONGEST_HEAD_BYTES:,} bytes before the body")
        return received


class BoundedSocket(_BoundedReads, socket.socket):
    """For HTTP, and below a TLS handshake."""


class BoundedTlsSocket(_BoundedReads, ssl.SSLSocket):
    """For HTTP over TLS."""
