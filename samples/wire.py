"""Bytes, pauses and ends in; what really happens on one accepted connection out."""

from __future__ import annotations

import os
import socket
import struct
from threading import Event


class SiteEndingError(Exception):
    """The site stops while an answer is under way."""


class Wire:
    """One connection, for answers that need more control over it than a file object gives."""

    def __init__(self, connection: socket.socket, ending: Event) -> None:
        self._connection = connection
        self._ending = ending
        self.is_over = False

    def write(self, data: bytes) -> None:
        """Send all of `data` at once. Raises OSError when the client has gone."""
        self._connection.sendall(data)

    def pause(self, seconds: float) -> None:
        """Wait. Raises SiteEndingError at once when the site is stopped meanwhile."""
        if self._ending.wait(seconds):
            raise SiteEndingError

    def hang_up(self) -> None:
        """Let the connection close in order (FIN) after this answer."""
        self.is_over = True

    def reset(self) -> None:
        """Break the connection off (RST)."""
        # A linger time of zero makes close() send RST. The descriptor is closed here, by number, because
        # the server would first call shutdown(), which sends the FIN of an orderly end.
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self._connection.detach())
        self.is_over = True
