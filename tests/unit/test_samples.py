"""The sample site over real HTTP: what its users, the fetcher's tests above all, rely on."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from PIL import Image

from samples.routes import ROUTES
from samples.site import serving
from samples.tally import Tally

ROOT = Path(__file__).parents[2]
FORMATS = {"jpg": "JPEG", "png": "PNG", "gif": "GIF", "webp": "WEBP", "bmp": "BMP"}


@pytest.fixture(scope="module")
def site():
    with serving("127.0.0.1", 0) as running:
        yield running


@pytest.fixture
def get(site):
    """One keep-alive session on the site; redirects are looked at, not followed."""
    with requests.Session() as session:
        session.trust_env = False

        def ask(path, method="GET", **options):
            options.setdefault("allow_redirects", False)
            return session.request(method, site.base_url + path, timeout=10, **options)

        yield ask


@pytest.fixture
def dial(site):
    """A raw connection on which a GET for the path has been sent."""
    with contextlib.ExitStack() as stack:

        def call(path):
            connection = stack.enter_context(socket.create_connection(site.server_address[:2], timeout=10))
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: samples\r\n\r\n".encode())
            return connection

        yield call


def read_to_the_end(connection):
    pieces = []
    while piece := connection.recv(65_536):
        pieces.append(piece)
    head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
    return head, body


def promised_bytes(head):
    lines = (line.partition(b": ") for line in head.split(b"\r\n"))
    return next(int(value) for name, _, value in lines if name == b"Content-Length")


def decode(body):
    with Image.open(io.BytesIO(body)) as image:
        image.load()
        return image


# Pictures


def test_a_size_leads_by_one_redirect_to_a_photo_of_that_size(get):
    answer = get("/320/201")
    assert answer.status_code == 302
    photo = get(answer.headers["Location"])
    assert photo.headers["Content-Type"] == "image/jpeg"
    assert photo.headers["ETag"]
    assert decode(photo.content).size == (320, 201)


def test_a_url_has_the_same_bytes_for_everyone_and_another_run_of_the_site():
    bodies = []
    for _ in range(2):
        with serving("127.0.0.1", 0) as fresh:
            bodies.append(requests.get(f"{fresh.base_url}/60/61", timeout=10).content)
    assert bodies[0] == bodies[1]


def test_sizes_do_not_share_bytes_and_all_photos_are_shown(get):
    places = [get(f"/{width}/{width + 1}").headers["Location"] for width in range(1, 40)]
    assert {place.split("/")[2] for place in places} == {"astronaut", "chelsea", "coffee", "rocket"}
    assert len({get(place).content for place in places}) == len(places)


@pytest.mark.parametrize("extension", FORMATS)
def test_a_photo_comes_in_the_format_of_its_extension(get, extension):
    answer = get(f"/photo/chelsea/48/32.{extension}")
    image = decode(answer.content)
    assert (image.format, image.size) == (FORMATS[extension], (48, 32))
    assert answer.headers["Content-Type"] == Image.MIME[image.format]


@pytest.mark.parametrize(
    "path", ["/0/5", "/5/0", "/5001/1", "/99000000/9900000", "/photo/rocket/1/5001.jpg", "/cut/0/1"]
)
def test_a_size_out_of_range_is_invalid(get, path):
    answer = get(path)
    assert (answer.status_code, answer.text) == (400, "Invalid size")


@pytest.mark.parametrize(
    "path",
    ["/error/100", "/nothing", "/photo/LICENSES/1/1.md", "/photo/../album/1/1.jpg", "/photo/%2e%2e/1/1.jpg", "/-1/1"],
)
def test_what_is_not_there_is_not_found(get, path):
    answer = get(path)
    assert (answer.status_code, answer.text) == (404, "page not found")


def test_the_same_picture_is_under_every_path(get):
    one, other = get("/same/a"), get("/same/b/ü?c=1")
    assert one.content == other.content
    assert decode(one.content).format == "JPEG"


def test_a_changing_picture_never_comes_twice(get):
    bodies = [get("/changing/20/21").content for _ in range(9)]
    assert len(set(bodies)) == 9
    assert all(decode(body).size == (20, 21) for body in bodies)


def test_an_owner_opts_out_in_either_word(get):
    assert get("/optout/8/9").headers["X-Robots-Tag"] == "noai"
    assert get("/optout/8/9?directive=noimageai").headers["X-Robots-Tag"] == "noimageai"
    assert get("/optout/8/9?directive=x%0d%0aSet-Cookie:a").status_code == 400


def test_a_gzipped_picture_is_coded_though_nobody_asked(get):
    answer = get("/gzipped/30/31", headers={"Accept-Encoding": "identity"}, stream=True)
    coded = answer.raw.read(decode_content=False)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert decode(zlib.decompress(coded, zlib.MAX_WBITS | 16)).size == (30, 31)


# Statuses


@pytest.mark.parametrize(("path", "status"), [("/gone", 410), ("/forbidden", 403), ("/broken", 500), ("/busy", 429)])
def test_a_refusal_is_the_same_each_time(get, path, status):
    assert [get(path).status_code for _ in range(2)] == [status, status]


def test_a_busy_site_asks_for_a_day(get):
    assert get("/busy").headers["Retry-After"] == "86400"


def test_a_flaky_picture_comes_after_its_failures_for_each_key_anew(get):
    assert [get("/flaky/a/2/8/9").status_code for _ in range(4)] == [503, 503, 200, 200]
    first = get("/flaky/b/1/8/9?retry_after=3")
    assert (first.status_code, first.headers["Retry-After"]) == (503, "3")
    assert get("/flaky/c/1/8/9").headers["Retry-After"] == "1"
    assert get("/flaky/c/1/8/9?retry_after=soon").status_code == 400


# Damage


def test_a_truncated_picture_closes_before_its_promised_length(dial, get):
    head, body = read_to_the_end(dial("/truncated/90/91"))
    assert 0 < len(body) < promised_bytes(head)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get("/truncated/90/91")


def test_an_understated_picture_goes_on_past_its_promised_length(dial):
    head, body = read_to_the_end(dial("/understated/90/91"))
    assert promised_bytes(head) < len(body)
    assert decode(body).size == (90, 91)


def test_a_cut_picture_is_a_complete_answer_that_does_not_decode(get):
    answer = get("/cut/90/91")
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with pytest.raises(OSError, match="truncated"):
        decode(answer.content)


def test_a_reset_happens_once_for_each_key_in_the_body(dial, get):
    connection = dial("/reset/a/200/201")
    with pytest.raises(ConnectionResetError):
        read_to_the_end(connection)
    assert decode(get("/reset/a/200/201").content).size == (200, 201)


# Disguises


@pytest.mark.parametrize(
    ("path", "content_type", "start"),
    [
        ("/html", "text/html; charset=utf-8", b"<!doctype html>"),
        ("/html.jpg", "image/jpeg", b"<!doctype html>"),
        ("/mislabelled/8/9", "image/png", b"\xff\xd8\xff"),
        ("/eps", "image/png", b"%!PS-Adobe"),
        ("/pdf", "image/png", b"%PDF-"),
        ("/svg", "image/png", b"<svg"),
        ("/tiff", "image/png", b"II*\0"),
        ("/empty", "image/jpeg", b""),
    ],
)
def test_a_body_is_not_what_its_type_says(get, path, content_type, start):
    answer = get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
    assert answer.content.startswith(start)
    assert bool(answer.content) == bool(start)


def test_no_content_has_neither_body_nor_length_and_keeps_the_connection(get):
    answer = get("/nocontent")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Length" not in answer.headers
    assert get("/health").text == "OK"


# Floods


def test_an_oversized_picture_announces_more_than_20_mb(get):
    with get("/oversized", stream=True) as answer:
        assert int(answer.headers["Content-Length"]) > 20 * 2**20
        assert answer.raw.read(3) == b"\xff\xd8\xff"
    with get("/oversized", stream=True) as answer:
        assert sum(map(len, answer.iter_content(2**20))) == int(answer.headers["Content-Length"])


def test_an_endless_picture_goes_on_in_chunks(get):
    with get("/endless", stream=True) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert len(answer.raw.read(5 * 2**20)) == 5 * 2**20


def test_the_bomb_is_a_small_valid_png_of_900_million_pixels(get):
    body = get("/bomb").content
    assert len(body) < 120_000
    width, height, bits = struct.unpack(">IIB", body[16:25])
    assert (width, height, bits) == (30_000, 30_000, 1)
    with pytest.raises(Image.DecompressionBombError), Image.open(io.BytesIO(body)):
        pass
    inflated = zlib.decompressobj()
    length_bytes = int.from_bytes(body[33:37], "big")
    rows = body[41 : 41 + length_bytes]
    total_bytes = 0
    while rows:
        total_bytes += len(inflated.decompress(rows, 2**20))
        rows = inflated.unconsumed_tail
    assert (inflated.eof, total_bytes) == (True, 30_000 * 3_751)


def test_a_gzip_bomb_is_small_on_the_wire(get):
    answer = get("/gzip-bomb", stream=True)
    assert len(answer.raw.read(decode_content=False)) < 2**20
    assert answer.headers["Content-Encoding"] == "gzip"


# Redirects


def test_so_many_hops_lead_to_the_picture(get):
    answer = get("/redirect/5/8/9", allow_redirects=True)
    assert [hop.status_code for hop in answer.history] == [302] * 5
    assert decode(answer.content).size == (8, 9)


def test_the_loop_leads_to_itself(get):
    assert get("/loop").headers["Location"] == "/loop"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://169.254.169.254/x?a=1&b=2", "http://[::1]/", "//bad host"]
)
def test_a_redirect_goes_wherever_it_is_asked_to(get, url):
    answer = get("/redirect-to", params={"url": url})
    assert (answer.status_code, answer.headers["Location"]) == (302, url)


def test_a_redirect_cannot_smuggle_a_header_in(get):
    answer = get("/redirect-to", params={"url": "/x\r\nSet-Cookie: a=b"})
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


def test_a_redirect_may_lack_its_location(get):
    answer = get("/no-location")
    assert answer.status_code == 302
    assert "Location" not in answer.headers


# Time


def test_a_slow_picture_comes_after_its_seconds(get):
    before = time.monotonic()
    assert decode(get("/slow/0.2/8/9").content).size == (8, 9)
    assert time.monotonic() - before >= 0.2


def test_a_dripping_picture_comes_whole_no_faster_than_its_rate(get):
    before = time.monotonic()
    body = get("/drip/2000/8/9").content
    last_step_bytes = 200
    assert time.monotonic() - before >= (len(body) - last_step_bytes) / 2000
    assert decode(body).size == (8, 9)


def test_a_dripping_head_sends_its_first_byte_alone(dial):
    assert dial("/drip-head/60/8/9").recv(100) == b"H"


# The site itself


def test_requests_are_counted_by_path_and_the_count_starts_anew_on_request(get):
    assert get("/requests.json", method="DELETE").status_code == 204
    for path in ("/health", "/same/a?x=1", "/same/a", "/nothing", "/requests.json"):
        get(path)
    assert get("/requests.json").json() == {"/same/a": 2, "/nothing": 1}


def test_the_count_forgets_the_oldest_path_rather_than_grow():
    tally = Tally(most_names=2)
    for name in ("a", "b", "b", "c"):
        tally.count(name)
    assert tally.counts() == {"b": 2, "c": 1}


def test_one_connection_serves_many_requests_of_which_a_head_has_no_body(site):
    with socket.create_connection(site.server_address[:2], timeout=10) as connection:
        connection.sendall(
            b"HEAD /same/a HTTP/1.1\r\nHost: samples\r\n\r\n"
            b"GET /health HTTP/1.1\r\nHost: samples\r\nConnection: close\r\n\r\n"
        )
        head, rest = read_to_the_end(connection)
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert rest.startswith(b"HTTP/1.1 200 OK")
    assert rest.endswith(b"\r\n\r\nOK")


def test_a_target_or_a_query_without_bounds_is_refused(get):
    assert get(f"/same/{'a' * 9_000}").status_code == 414
    assert get(f"/same/a?{'a=1&' * 20}").status_code == 400


def test_the_index_lists_every_path_and_its_ready_made_ones_answer(get):
    page = get("/").text
    for route in ROUTES:
        assert route.pattern.replace("<", "&lt;").replace(">", "&gt;") in page
        if route.method == "GET" and "<" not in route.pattern:
            with get(route.pattern, stream=True) as answer:
                assert answer.status_code != 404


def test_sigterm_ends_the_site_with_0_while_an_answer_is_under_way():
    environment = {**os.environ, "SAMPLES_HOST": "127.0.0.2", "SAMPLES_PORT": "0"}
    command = [sys.executable, "-m", "samples"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            place = urlsplit(process.stdout.readline().split()[-1])
            assert place.hostname == "127.0.0.2"
            with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
                connection.sendall(b"GET /drip/1/8/9 HTTP/1.1\r\nHost: samples\r\n\r\n")
                assert connection.recv(1)
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=5) == 0
        finally:
            process.kill()


def test_a_wrong_port_ends_with_2_and_names_its_variable():
    environment = {**os.environ, "SAMPLES_PORT": "eighty"}
    command = [sys.executable, "-m", "samples"]
    ended = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 2
    assert "SAMPLES_PORT" in ended.stderr
    assert ended.stderr.count("\n") == 1
