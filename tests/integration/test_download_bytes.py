"""Downloads from servers that misbehave byte by byte: each ends within its limits, with the right reason."""

import gzip
import random
import socket
import struct
import threading
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from common.errors import ItemError, Permanent, Transient
from common.fetching.download import Downloader
from common.reasons import Reason
from tests.downloading import downloader, failure, in_a_hurry, names
from tests.fleet import eventually
from tests.raw_server import JPEG_START, OK, Script, Visit, answering, saying_once, talking, whole
from tests.stopwatch import within

CAP_BYTES = 100_000
KERNEL_BYTES = 512 * 1024
"""What may be on its way in the buffers of both sockets when the client stops to read."""
SIXTEEN_MEBIBYTES = 16 << 20
BODY = JPEG_START + bytes(50_000)
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
NO_HTTP = [
    b"",
    b"\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"\x16\x03\x01\x02\x00\x01",
    b"HTTP/9.9.9 200 OK\r\n\r\n",
    b"HTTP/1.1 abc OK\r\n\r\n",
    b"HTTP/1.1 99 low\r\n\r\n",
    b"HTTP/1.1 " + b"2" * 70_000,
    OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
    OK + b"".join(b"X-%d: y\r\n" % number for number in range(200)) + b"\r\n",
    b"HTTP/1.1 103 Early Hints\r\n\r\n",
]
BROKEN_BODIES = [
    OK + b"Content-Length: 60000\r\n\r\n" + BODY,
    CHUNKED + b"ff\r\n" + BODY[:100],
    CHUNKED + b"10\r\n" + BODY[:16] + b"\r\n",
    CHUNKED + b"nonsense\r\n" + BODY,
    CHUNKED + b"-5\r\n" + BODY,
]
WHOLE_BODIES = {
    "chunks": CHUNKED + b"4\r\n" + JPEG_START + b"\r\n4;ext=1\r\nabcd\r\n0\r\nTrailer: x\r\n\r\n",
    "chunks and a length that lies": OK
    + b"Content-Length: 99999999\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n"
    + JPEG_START
    + b"abcd\r\n0\r\n\r\n",
    "until the connection ends": OK + b"\r\n" + JPEG_START + b"abcd",
    "a length that is no number": OK + b"Content-Length: many\r\n\r\n" + JPEG_START + b"abcd",
    "old HTTP": b"HTTP/1.0 200 OK\r\n\r\n" + JPEG_START + b"abcd",
    "after a 100": b"HTTP/1.1 100 Continue\r\n\r\n" + whole(JPEG_START + b"abcd"),
}


def kind(error: ItemError) -> tuple[type[ItemError], Reason]:
    return type(error), error.reason


def dripping_head(visit: Visit) -> None:
    visit.request()
    visit.drip(OK + b"X: " + b"y" * 1_000, 0.1)


def dripping_body(visit: Visit) -> None:
    visit.request()
    visit.send(OK + b"Content-Length: 1000\r\n\r\n" + JPEG_START)
    visit.drip(bytes(996), 0.1)


def dripping_chunks(visit: Visit) -> None:
    visit.request()
    visit.send(CHUNKED)
    while True:
        visit.drip(b"1\r\nx\r\n", 0.05)


def endless_continues(visit: Visit) -> None:
    visit.request()
    while True:
        visit.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def long_head(visit: Visit) -> None:
    visit.request()
    visit.send(OK)
    for number in range(90):
        visit.send(b"X-%d: " % number + b"y" * 60_000 + b"\r\n")


def endless_header(visit: Visit) -> None:
    visit.request()
    visit.send(OK + b"X: ")
    while True:
        visit.send(b"y" * 1_000)


def endless_trailers(visit: Visit) -> None:
    visit.request()
    visit.send(CHUNKED + b"0\r\n")
    while True:
        visit.send(b"X: y\r\n")


def silence(visit: Visit) -> None:
    visit.request()
    visit.pause(60)


def refusing_slowly(visit: Visit) -> None:
    visit.request()
    visit.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n")
    visit.drip(bytes(1000), 0.05)


def reset(visit: Visit) -> None:
    visit.request()
    # A linger time of zero makes close() send RST.
    visit.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def endless(head: bytes, framed: bytes) -> Script:
    def script(visit: Visit) -> None:
        visit.request()
        visit.send(head)
        while True:
            visit.send(framed)

    return script


@pytest.mark.parametrize(
    "script",
    [dripping_head, dripping_body, dripping_chunks, endless_trailers, silence],
    ids=lambda script: script.__name__,
)
def test_a_server_that_takes_its_time_is_left_in_time(script: Script) -> None:
    with talking(script) as server, within(1 + 1):
        assert kind(failure(in_a_hurry(), server.url())) == (Transient, Reason.TIMEOUT)


@pytest.mark.parametrize("script", [endless_continues, long_head, endless_header], ids=lambda script: script.__name__)
def test_a_head_that_does_not_end_is_left_in_size(script: Script) -> None:
    with talking(script) as server, within(2):
        tracemalloc.start()
        error = failure(downloader(), server.url())
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert kind(error) == (Permanent, Reason.CONNECT)
    assert "before the body" in error.detail
    assert peak_bytes < 1 << 20


def test_a_long_head_is_read_when_it_is_not_too_long() -> None:
    # What is read ahead of the body counts, too: a buffer of the standard library, of 8 KiB.
    headers = [b"X-%d: " % number + b"y" * 3_000 for number in range(18)]
    with talking(answering(whole(BODY, *headers))) as server:
        fetching = downloader()
        assert [fetching.download(server.url()).body for _ in range(2)] == [BODY, BODY]
        assert server.connections == 1


def test_many_slow_redirects_together_take_no_longer_than_one_download() -> None:
    def script(visit: Visit) -> None:
        while visit.request():
            visit.pause(0.4)
            visit.send(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")

    with talking(script) as server, within(1 + 1):
        assert kind(failure(in_a_hurry(), server.url())) == (Transient, Reason.TIMEOUT)


def test_a_slow_name_server_takes_no_longer_than_the_download_may() -> None:
    answered = threading.Event()

    def look_up(_host: str) -> list[str]:
        answered.wait(30)
        return ["127.0.0.2"]

    try:
        with within(1 + 1):
            error = failure(in_a_hurry(look_up, CONNECT_TIMEOUT_SECONDS="20"), "http://slow.example/")
            assert kind(error) in ((Transient, Reason.DNS), (Transient, Reason.TIMEOUT))
    finally:
        answered.set()


def test_a_host_that_takes_no_connection_is_left_in_time() -> None:
    # A full backlog of a listener that never accepts: the kernel ignores further handshakes.
    with socket.create_server(("127.0.0.2", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for caller in waiting:
            caller.setblocking(False)
            caller.connect_ex(address)
        with within(1 + 1):
            error = failure(in_a_hurry(), f"http://127.0.0.2:{address[1]}/")
        for caller in waiting:
            caller.close()
    assert kind(error) == (Transient, Reason.TIMEOUT)


def test_a_refused_connection_is_worth_another_try() -> None:
    with socket.create_server(("127.0.0.2", 0)) as listener:
        port = listener.getsockname()[1]
    assert kind(failure(downloader(), f"http://127.0.0.2:{port}/")) == (Transient, Reason.CONNECT)


def test_a_time_that_is_over_before_anything_is_done_is_worth_another_try() -> None:
    """As for a process that stood still for a while."""
    look_up = names(host_example=["127.0.0.2"])
    with socket.create_server(("127.0.0.2", 0)) as listener:
        fetching = in_a_hurry(look_up, CONNECT_TIMEOUT_SECONDS="0.0000001")
        error = failure(fetching, f"http://host.example:{listener.getsockname()[1]}/")
    assert isinstance(error, Transient)


def test_the_second_address_of_a_host_is_tried_when_the_first_does_not_connect() -> None:
    with talking(answering(whole(JPEG_START)), host="127.0.0.3") as server:
        fetching = downloader(names(host_example=["127.0.0.2", "127.0.0.3"]), FETCH_ALLOW_NETS="127.0.0.0/29")
        assert fetching.download(f"http://host.example:{server.port}/").body == JPEG_START


def test_the_second_address_is_not_asked_what_the_first_has_answered() -> None:
    with talking(reset) as first, talking(answering(whole(JPEG_START)), host="127.0.0.3") as second:
        fetching = downloader(names(host_example=["127.0.0.2", "127.0.0.3"]), FETCH_ALLOW_NETS="127.0.0.0/29")
        assert failure(fetching, f"http://host.example:{first.port}/").reason is Reason.CONNECT
        assert (first.connections, second.connections) == (1, 0)


@pytest.mark.parametrize("answer", NO_HTTP, ids=lambda answer: repr(answer[:24]))
def test_an_answer_that_is_no_http_is_a_connection_without_an_answer(answer: bytes) -> None:
    with talking(saying_once(answer)) as server:
        assert failure(downloader(), server.url()).reason is Reason.CONNECT


def test_a_reset_before_an_answer_is_a_connection_without_an_answer() -> None:
    with talking(reset) as server:
        assert kind(failure(downloader(), server.url())) == (Transient, Reason.CONNECT)


@pytest.mark.parametrize("answer", BROKEN_BODIES, ids=lambda answer: repr(answer[17:60]))
def test_a_body_that_does_not_end_as_it_should_is_incomplete(answer: bytes) -> None:
    with talking(saying_once(answer)) as server:
        assert kind(failure(downloader(), server.url())) == (Transient, Reason.INCOMPLETE_BODY)


@pytest.mark.parametrize("answer", WHOLE_BODIES.values(), ids=WHOLE_BODIES)
def test_a_body_is_whole_in_every_way_that_http_frames_it(answer: bytes) -> None:
    with talking(saying_once(answer)) as server:
        assert downloader().download(server.url()).body == JPEG_START + b"abcd"


def test_random_answers_are_outcomes_whatever_they_are() -> None:
    seed = 20
    generator = random.Random(seed)
    template = (
        CHUNKED
        + b"Content-Length: 5\r\nLocation: /x\r\nRetry-After: Mon, 01\r\nX-Robots-Tag: a:b\r\n\r\n5\r\nabcde\r\n"
    )

    def script(visit: Visit) -> None:
        answer = bytearray(template)
        for _ in range(generator.randint(1, 12)):
            answer[generator.randrange(len(answer))] = generator.choice(b"\r\n :;%\x00\xff0123456789abcXYZ")
        visit.request()
        visit.send(bytes(answer))

    with talking(script) as server:
        fetching = in_a_hurry()
        reasons = Counter(failure(fetching, server.url(f"/{number}")).reason for number in range(300))
    assert len(reasons) > 2, reasons


@pytest.mark.parametrize(
    "script",
    [
        endless(CHUNKED, b"2000\r\n" + JPEG_START + bytes(0x2000 - 4) + b"\r\n"),
        endless(OK + b"\r\n" + JPEG_START, bytes(8192)),
        endless(b"HTTP/1.0 200 OK\r\n\r\n", JPEG_START + bytes(8188)),
    ],
    ids=["chunks", "no length", "old HTTP"],
)
def test_an_endless_body_is_left_soon_after_the_largest_size(script: Script) -> None:
    fetching = downloader(MAX_BODY_BYTES=str(CAP_BYTES))
    with talking(script) as server:
        tracemalloc.start()
        try:
            with within(2):
                error = failure(fetching, server.url())
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        eventually(lambda: server.visits[0].connection.fileno() == -1, what="the server sees the end")
        assert server.visits[0].sent_bytes < CAP_BYTES + 64 * 1024 + KERNEL_BYTES
    assert kind(error) == (Permanent, Reason.TOO_LARGE)
    assert peak_bytes < 4 * (CAP_BYTES + 64 * 1024)


@pytest.mark.parametrize(("length", "is_whole"), [(CAP_BYTES, True), (CAP_BYTES + 1, False)])
def test_the_largest_body_is_taken_and_one_byte_more_is_not(length: int, *, is_whole: bool) -> None:
    body = JPEG_START.ljust(length, b"\x00")
    fetching = downloader(MAX_BODY_BYTES=str(CAP_BYTES))
    for answer in (whole(body), OK + b"\r\n" + body):
        with talking(saying_once(answer)) as server:
            if is_whole:
                assert fetching.download(server.url()).body == body
            else:
                assert failure(fetching, server.url()).reason is Reason.TOO_LARGE


@pytest.mark.parametrize("length", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5_000_001])
@pytest.mark.parametrize("head", [OK + b"\r\n", None], ids=["no length", "length"])
def test_bodies_about_and_above_the_small_size_arrive_whole(length: int, head: bytes | None) -> None:
    body = random.Random(length).randbytes(length - 4)
    body = JPEG_START + body
    with talking(saying_once(whole(body) if head is None else head + body)) as server:
        assert downloader().download(server.url()).body == body


def test_an_announced_giant_is_refused_before_its_body_is_read() -> None:
    head = OK + b"Content-Length: 10000000000\r\n\r\n"
    with talking(endless(head, bytes(8192))) as server:
        assert failure(downloader(), server.url()).reason is Reason.TOO_LARGE
        eventually(lambda: server.visits[0].connection.fileno() == -1)
        assert server.visits[0].sent_bytes < KERNEL_BYTES


def test_a_compressed_body_is_refused_and_not_unpacked() -> None:
    bomb = gzip.compress(bytes(50 << 20))
    for encoding in (b"gzip", b"deflate", b"br", b"gzip, gzip", b"x" * 500):
        with talking(saying_once(whole(bomb, b"Content-Encoding: " + encoding))) as server:
            tracemalloc.start()
            error = failure(downloader(), server.url())
            peak_bytes = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert kind(error) == (Permanent, Reason.NOT_AN_IMAGE)
        assert peak_bytes < 1 << 20


def test_a_redirect_with_a_compressed_body_is_followed_without_unpacking_it() -> None:
    bomb = gzip.compress(bytes(5 << 20))

    def script(visit: Visit) -> None:
        while head := visit.request():
            redirect = b"HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
            visit.send(whole(JPEG_START) if b"/end" in head else redirect % len(bomb) + bomb)

    with talking(script) as server:
        tracemalloc.start()
        assert downloader().download(server.url()).body == JPEG_START
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak_bytes < 1 << 20


def test_a_refusal_is_told_at_once_however_slowly_its_page_comes() -> None:
    with talking(refusing_slowly) as server, within(2):
        error = failure(downloader(), server.url())
    assert (error.reason, error.status) == (Reason.HTTP_4XX, 404)


def test_one_connection_serves_many_downloads_refusals_and_redirects() -> None:
    def script(visit: Visit) -> None:
        while head := visit.request():
            if b"/missing" in head:
                visit.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found")
            elif b"/moved" in head:
                visit.send(b"HTTP/1.1 302 Found\r\nLocation: /image\r\nContent-Length: 5\r\n\r\nthere")
            else:
                visit.send(whole(BODY))

    with talking(script) as server:
        fetching = downloader()
        for _ in range(10):
            assert fetching.download(server.url("/image")).body == BODY
            assert fetching.download(server.url("/moved")).body == BODY
            assert failure(fetching, server.url("/missing")).status == 404
        assert server.connections == 1


def test_a_connection_is_not_used_for_another_hosts_name() -> None:
    with talking(answering(whole(JPEG_START))) as server:
        fetching = downloader(names(a_example=["127.0.0.2"], b_example=["127.0.0.2"]))
        for host in ("a", "b", "a", "b"):
            fetching.download(f"http://{host}.example:{server.port}/")
        assert server.connections == 2


def test_what_a_server_sends_beyond_its_answer_is_not_taken_for_the_next_answer() -> None:
    stray = whole(b"GIF89a stray")
    answer = whole(JPEG_START)
    for beyond in (stray, bytes(20_000) + stray):
        with talking(answering(answer, beyond)) as server:
            fetching = downloader()
            assert [fetching.download(server.url()).body for _ in range(5)] == [JPEG_START] * 5


def test_a_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with talking(saying_once(whole(JPEG_START))) as server:
        fetching = downloader()
        for number in range(1, 4):
            assert fetching.download(server.url()).body == JPEG_START
            assert server.visits[-1].over.wait(30)
            assert server.connections == number


FAILING = {
    "no HTTP": saying_once(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "a giant": saying_once(OK + b"Content-Length: 10000000000\r\n\r\n"),
    "encoded": saying_once(whole(BODY, b"Content-Encoding: gzip")),
    "an opt-out": saying_once(whole(BODY, b"X-Robots-Tag: noai")),
    "no image": saying_once(whole(bytes(10))),
    "half a body": saying_once(OK + b"Content-Length: 99999\r\n\r\n" + BODY),
    "a large refusal": saying_once(b"HTTP/1.1 404 Not Found\r\nContent-Length: 50000\r\n\r\n" + bytes(50_000)),
    "an endless refusal": endless(b"HTTP/1.1 404 Not Found\r\n\r\n", bytes(8192)),
    "a redirect elsewhere": saying_once(b"HTTP/1.1 302 Found\r\nLocation: ftp://x/\r\nContent-Length: 0\r\n\r\n"),
    "a redirect nowhere": saying_once(b"HTTP/1.1 302 Found\r\n\r\n"),
    "silence": silence,
    "a reset": reset,
    "endless": endless(OK + b"\r\n" + JPEG_START, bytes(8192)),
}


@pytest.mark.parametrize("script", FAILING.values(), ids=FAILING)
def test_failed_downloads_leave_at_most_the_connection_that_is_kept(script: Script) -> None:
    fetching = in_a_hurry(MAX_BODY_BYTES=str(CAP_BYTES), IDLE_TIMEOUT_SECONDS="0.1")
    process = psutil.Process()
    with talking(script) as server:
        for _ in range(5):
            failure(fetching, server.url())
        ours = [
            connection
            for connection in process.net_connections("tcp")
            if connection.raddr and connection.raddr.port == server.port and connection.status == "ESTABLISHED"
        ]
        assert len(ours) <= 1


def test_many_hosts_do_not_use_up_the_files_that_a_process_may_have_open() -> None:
    table = {f"h{number}_example": ["127.0.0.2"] for number in range(60)}
    process = psutil.Process()
    with talking(answering(whole(JPEG_START))) as server:
        fetching = downloader(names(**table), threads=32)
        for number in range(60):
            fetching.download(f"http://h{number}.example:{server.port}/")
        kept = [
            connection
            for connection in process.net_connections("tcp")
            if connection.raddr and connection.raddr.port == server.port and connection.status == "ESTABLISHED"
        ]
        assert len(kept) == 16, "as many hosts as 32 connections each make 512"


def test_the_memory_of_many_large_downloads_at_once_is_bounded() -> None:
    body = JPEG_START + bytes(4 * 1024 * 1024 - 4)
    threads = 16
    with talking(answering(whole(body))) as server, ThreadPoolExecutor(threads) as pool:
        fetching = downloader(HELD_BYTES=str(16 * 1024 * 1024))
        tracemalloc.start()
        try:
            lengths = list(pool.map(lambda _number: _length(fetching, server.url()), range(2 * threads)))
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert lengths == [len(body)] * 2 * threads
    # 16 MiB of bodies, twice while their pieces are put together, and the first mebibyte of the others.
    assert peak_bytes < (2 * 16 + 2 * threads) << 20


def _length(fetching: Downloader, url: str) -> int:
    return len(fetching.download(url).body)
