"""The byte stream below an AMQP connection, between two sockets of this process."""

import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from common.stream import READ_BYTES, Stream, StreamServices


class Protocol:
    """Keeps what it is given."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self.pieces: list[bytes] = []
        self.lost: list[BaseException | None] = []
        self.enough = 1 << 62
        self._stop = stop

    def connection_made(self, _stream: Stream) -> None:
        """Nothing yet."""

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        if sum(map(len, self.pieces)) >= self.enough:
            self._stop()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: BaseException | None) -> None:
        self.lost.append(error)
        self._stop()


class Linked:
    """A stream, its protocol, and the other end."""

    def __init__(self) -> None:
        self.services = StreamServices()
        self.loop = self.services.get_native_ioloop()
        own, self.other = socket.socketpair()
        own.setblocking(False)
        self.protocol = Protocol(self.loop.stop)
        self.linked: list[Any] = []
        self.reference = self.services.create_streaming_connection(lambda: self.protocol, own, self._done)

    def _done(self, result: object) -> None:
        self.linked.append(result)
        self.loop.stop()

    @property
    def stream(self) -> Stream:
        stream: Stream = self.linked[0][0]
        return stream

    def receive(self, data: bytes, *, in_pieces_of: int | None = None) -> list[bytes]:
        """Send data from the other end and give the pieces that the protocol got."""
        self.protocol.enough = len(data)
        size = in_pieces_of or len(data)
        pending = [data[begin : begin + size] for begin in range(0, len(data), size)]

        def send() -> None:
            self.other.sendall(pending.pop(0))
            if pending:
                self.loop.call_later(0, send)

        self.loop.call_later(0, send)
        self.loop.start()
        return self.protocol.pieces


@pytest.fixture
def linked() -> Iterator[Linked]:
    linked = Linked()
    linked.loop.start()
    yield linked
    linked.stream.abort()
    linked.loop.start()
    linked.other.close()
    linked.services.close()


def frame(payload: bytes, kind: int = 3) -> bytes:
    return struct.pack(">BHI", kind, 1, len(payload)) + payload + b"\xce"


def test_frames_come_whole_and_each_by_itself(linked: Linked) -> None:
    frames = [frame(b"a" * size) for size in (0, 1, 5_000, 70_000)]
    assert linked.receive(b"".join(frames)) == frames


def test_frames_that_come_byte_by_byte_are_put_together(linked: Linked) -> None:
    frames = [frame(b"payload"), frame(b""), frame(b"another")]
    assert linked.receive(b"".join(frames), in_pieces_of=1) == frames


def test_what_is_no_frame_passes_as_it_comes(linked: Linked) -> None:
    data = frame(b"first") + b"\xff" * 40_000
    pieces = linked.receive(data, in_pieces_of=10_000)
    assert pieces[0] == frame(b"first")
    assert b"".join(pieces) == data


def test_a_frame_larger_than_the_buffer_passes_in_parts(linked: Linked) -> None:
    data = frame(b"x" * (READ_BYTES + 10_000))
    assert b"".join(linked.receive(data, in_pieces_of=50_000)) == data


def test_all_that_is_written_is_sent_in_its_order_though_the_socket_takes_parts(linked: Linked) -> None:
    written = [bytes([number % 251]) * (number * 97 % 40_000 + 1) for number in range(300)]
    expected = b"".join(written)
    for data in written:
        linked.stream.write(data)
    assert linked.stream.get_write_buffer_size() == len(expected)
    linked.other.setblocking(False)
    received = bytearray()

    def read() -> None:
        received.extend(linked.other.recv(1 << 20))
        if len(received) == len(expected):
            linked.services.remove_reader(linked.other.fileno())
            linked.loop.stop()

    linked.services.set_reader(linked.other.fileno(), read)
    linked.loop.start()
    assert received == expected
    assert linked.stream.get_write_buffer_size() == 0


def test_the_other_end_closing_ends_the_stream_once(linked: Linked) -> None:
    linked.other.shutdown(socket.SHUT_WR)
    linked.loop.start()
    assert linked.protocol.lost == [None]
    linked.stream.write(b"into the void")
    assert linked.stream.get_write_buffer_size() == 0
    linked.loop.call_later(0, linked.loop.stop)  # the fixture's abort is the second end, of which nobody hears


def test_a_stream_that_breaks_ends_once_and_forgets_what_was_not_sent(linked: Linked) -> None:
    linked.stream.write(b"x" * 1000)
    linked.other.close()
    linked.loop.start()
    assert len(linked.protocol.lost) == 1
    linked.stream.write(b"more")
    linked.stream.abort()
    assert len(linked.protocol.lost) == 1
    linked.loop.call_later(0, linked.loop.stop)


def test_linking_can_be_called_off() -> None:
    linked = Linked()
    assert linked.reference.cancel()
    assert not linked.reference.cancel()
    linked.loop.call_later(0, linked.loop.stop)
    linked.loop.start()
    assert linked.linked == []
    assert linked.other.recv(1) == b"", "its socket is closed"
    linked.other.close()
    linked.services.close()
