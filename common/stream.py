"""The byte stream below an AMQP connection: read in large pieces, cut into whole frames, written many at once.

pika's own stream reads 4 KiB at a time, tries to find a frame after each, copies what is left of its buffer after each
frame, and sends every frame by itself. For bodies of images that was most of what a worker did. This one takes the
place that pika has for one (`nbio_interface`); connections with TLS keep pika's own.
"""

import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import islice

from pika.adapters.select_connection import IOLoop
from pika.adapters.utils.nbio_interface import AbstractIOReference, AbstractStreamProtocol, AbstractStreamTransport
from pika.adapters.utils.selector_ioloop_adapter import SelectorIOServicesAdapter

OnLinked = Callable[[tuple[AbstractStreamTransport, AbstractStreamProtocol] | BaseException], None]

READ_BYTES = 256 * 1024
"""Twice the largest frame that RabbitMQ sends unless it is told otherwise."""
MOST_BUFFERS = 512
"""Handed to the system at once; it takes up to 1,024."""
FRAME_HEAD = struct.Struct(">BHI")
"""Type, channel and the payload's size (AMQP 0-9-1, 2.3.5); behind the payload comes one more byte."""


class StreamServices(SelectorIOServicesAdapter):  # type: ignore[misc]  # pika has no types
    """pika's services of an I/O loop, with our stream."""

    def __init__(self) -> None:
        super().__init__(IOLoop())

    def create_streaming_connection(
        self,
        protocol_factory: Callable[[], AbstractStreamProtocol],
        sock: socket.socket,
        on_done: OnLinked,
        ssl_context: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> AbstractIOReference:
        """Link a connected socket to a protocol, soon; see pika's interface."""
        if ssl_context is not None:
            return super().create_streaming_connection(protocol_factory, sock, on_done, ssl_context, server_hostname)
        return _Linking(self, protocol_factory, sock, on_done)


class _Linking(AbstractIOReference):  # type: ignore[misc]  # pika has no types
    """What is yet to be linked, and can be called off until then."""

    def __init__(
        self,
        services: StreamServices,
        protocol_factory: Callable[[], AbstractStreamProtocol],
        sock: socket.socket,
        on_done: OnLinked,
    ) -> None:
        self._sock: socket.socket | None = sock
        services.call_later(0, partial(self._link, services, protocol_factory, on_done))

    def cancel(self) -> bool:
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()
        return sock is not None

    def _link(
        self, services: StreamServices, protocol_factory: Callable[[], AbstractStreamProtocol], on_done: OnLinked
    ) -> None:
        sock, self._sock = self._sock, None
        if sock is None:
            return
        protocol = protocol_factory()
        stream = Stream(services, protocol, sock)
        protocol.connection_made(stream)
        on_done((stream, protocol))


class Stream(AbstractStreamTransport):  # type: ignore[misc]  # pika has no types
    """A connected, non-blocking socket. It is this object's to close."""

    def __init__(self, services: StreamServices, protocol: AbstractStreamProtocol, sock: socket.socket) -> None:
        self._services = services
        self._protocol = protocol
        self._sock = sock
        self._received = memoryview(bytearray(READ_BYTES))
        self._filled = 0
        self._is_cut = True
        self._to_send: deque[bytes | memoryview] = deque()
        self._unsent_bytes = 0
        self._is_open = True
        services.set_reader(sock.fileno(), self._on_readable)

    def abort(self) -> None:
        """Close at once; the protocol hears of it afterwards."""
        self._end(None)

    def get_protocol(self) -> AbstractStreamProtocol:
        """Give what the stream was linked to."""
        return self._protocol

    def get_write_buffer_size(self) -> int:
        """Count the bytes that are still to be sent."""
        return self._unsent_bytes

    def write(self, data: bytes) -> None:
        """Send, together with what else is written until the socket is looked at again."""
        if not self._is_open:
            return
        if not self._to_send:
            self._services.set_writer(self._sock.fileno(), self._on_writable)
        self._to_send.append(data)
        self._unsent_bytes += len(data)

    def _on_writable(self) -> None:
        if not self._is_open:
            return
        try:
            sent = self._sock.sendmsg(islice(self._to_send, MOST_BUFFERS))
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        self._unsent_bytes -= sent
        while sent:
            first = self._to_send.popleft()
            if sent < len(first):
                self._to_send.appendleft(memoryview(first)[sent:])
            sent -= min(sent, len(first))
        if not self._to_send:
            self._services.remove_writer(self._sock.fileno())

    def _on_readable(self) -> None:
        if not self._is_open:
            return
        try:
            count = self._sock.recv_into(self._received[self._filled :])
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        if count:
            self._filled += count
            self._hand_over()
        elif not self._protocol.eof_received():
            self._end(None)

    def _hand_over(self) -> None:
        """Give the protocol whole frames, each by itself. From what is none on, all passes as it comes."""
        begin = 0
        while self._is_open and begin < self._filled:
            end = self._end_of_frame(begin) if self._is_cut else self._filled
            if end > self._filled:
                break
            self._protocol.data_received(bytes(self._received[begin:end]))
            begin = end
        rest = self._filled - begin
        self._received[:rest] = bytes(self._received[begin : self._filled])
        self._filled = rest

    def _end_of_frame(self, begin: int) -> int:
        if self._filled - begin < FRAME_HEAD.size:
            return begin + FRAME_HEAD.size
        _type, _channel, size = FRAME_HEAD.unpack_from(self._received, begin)
        length = FRAME_HEAD.size + size + 1
        self._is_cut = length <= READ_BYTES
        return begin + length if self._is_cut else self._filled

    def _end(self, error: BaseException | None) -> None:
        """Stop, and tell the protocol in a call of its own: this one may come from it."""
        if not self._is_open:
            return
        self._is_open = False
        self._to_send.clear()
        descriptor = self._sock.fileno()
        self._services.remove_reader(descriptor)
        self._services.remove_writer(descriptor)
        self._services.add_callback_threadsafe(partial(self._ended, error))

    def _ended(self, error: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._sock.close()
