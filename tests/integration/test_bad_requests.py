"""Requests that no browser would send, to the API as a process: each is refused with a sentence, or answered."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.ports import free_ports
from tests.api_world import KEY, World
from tests.fleet import eventually

MD5 = b"0123456789abcdef0123456789abcdef"
LOCAL = b"Host: 127.0.0.1\r\n"
KEYED = b"Authorization: Bearer " + KEY.encode() + b"\r\n"
TEXT, JSON = b"Content-Type: text/plain\r\n", b"Content-Type: application/json\r\n"
FORM, PARTS = (
    b"Content-Type: application/x-www-form-urlencoded\r\n",
    b"Content-Type: multipart/form-data; boundary=x\r\n",
)
A_FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="../<script>\x00.txt"\r\n\r\n%s\r\n--x--\r\n'


def post(path: bytes, kind: bytes, body: bytes) -> bytes:
    return b"POST %s HTTP/1.1\r\n%s%s%sContent-Length: %d\r\n\r\n%s" % (path, LOCAL, KEYED, kind, len(body), body)


def get(path: bytes, *headers: bytes) -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\n" + LOCAL + b"".join(headers) + b"\r\n"


REFUSED = {
    "a binary file": (post(b"/url_tasks", TEXT, b"http://a.example/\n\x89PNG\r\n"), 422, "line 2"),
    "UTF-16": (post(b"/url_tasks", TEXT, "http://a.example/\n".encode("utf-16-le")), 422, "line 1 has a zero byte"),
    "a zero byte": (post(b"/url_tasks", TEXT, b"http://a.example/\n\nhttp://b.example/\x00"), 422, "line 3"),
    "a binary file in a form": (post(b"/forms/urls", PARTS, A_FILE % b"http://a.example/\n\x00"), 422, "line 3"),
    "not a number": (post(b"/url_tasks", JSON, b'{"urls": [NaN]}'), 422, "urls"),
    "a number of 100,000 digits": (post(b"/url_tasks", JSON, b'{"urls": [' + b"9" * 60_000 + b"]}"), 422, "no JSON"),
    "deep JSON": (post(b"/text_tasks", JSON, b'{"url": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"), 422, "no JSON"),
    "a page with a zero byte": (post(b"/images_tasks", JSON, b'{"url": "http://a.example/\\u0000"}'), 422, "control"),
    "a page with a password": (post(b"/images_tasks", JSON, b'{"url": "http://a:p@b.example/"}'), 422, "password"),
    "a form of too many parts": (
        post(b"/forms/urls", PARTS, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 1_100 + b"--x--"),
        413,
        "parts",
    ),
    "a form without its boundary": (
        post(b"/forms/urls", b"Content-Type: multipart/form-data\r\n", b"x"),
        422,
        "no URL",
    ),
    "a key of any bytes": (b"POST /url_tasks HTTP/1.1\r\n" + LOCAL + b"Authorization: Basic \xff\r\n\r\n", 401, "key"),
    "a key without a scheme": (b"POST /url_tasks HTTP/1.1\r\n" + LOCAL + b"Authorization: \xff\r\n\r\n", 401, "key"),
    "bytes in a path": (get(b"/image/\xff\xfe"), 400, "HTTP"),
    "an address that cannot be taken apart": (get(b"http://[/images"), 400, "HTTP"),
    "markup for a method": (b"<script> / HTTP/1.1\r\n" + LOCAL + b"\r\n", 400, "HTTP"),
    "an unknown method": (b"FOO /images HTTP/1.1\r\n" + LOCAL + b"\r\n", 405, "FOO"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, "HTTP"),
    "a negative length": (b"POST /url_tasks HTTP/1.1\r\n" + LOCAL + b"Content-Length: -5\r\n\r\n", 400, "HTTP"),
    "two lengths": (
        b"POST / HTTP/1.1\r\n" + LOCAL + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        400,
        "HTTP",
    ),
    "a length beyond all": (
        b"POST /url_tasks HTTP/1.1\r\n" + LOCAL + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
        413,
        "large",
    ),
    "broken chunks": (b"POST / HTTP/1.1\r\n" + LOCAL + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400, "HTTP"),
    "two hosts": (b"GET / HTTP/1.1\r\n" + LOCAL + b"Host: evil.example\r\n\r\n", 421, "evil.example"),
    "half a host": (b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 421, "[::1"),
    "a time before all": (get(b"/monitoring.json?from=0001-01-01T00:00:00Z"), 422, "from"),
    "a leap second": (get(b"/monitoring.json?from=2016-12-31T23:59:60Z"), 422, "from"),
    "a percentile of many digits": (get(b"/stats/" + MD5 + b"/p0." + b"9" * 3_000), 404, "no function"),
    "another percentile": (get(b"/stats/" + MD5 + b"/p1e1"), 404, "no function"),
    "a name with a zero byte": (get(b"/stats/%00.jpg/min"), 404, "No image"),
    "half a character": (get(b"/stats/%ED%A0%80/min"), 404, "No image"),
    "an address elsewhere to go on to": (get(b"/sign-in?next=//evil.example/"), 422, "next"),
}
ANSWERED = {
    "a month that touches another bar": get(b"/monitoring.json?from=2024-05-31T10:00:01Z&minutes=43200"),
    "the end of times": get(b"/monitoring.json?from=2999-12-31T23:59:59Z&minutes=43200"),
    "the beginning of times": get(b"/monitoring.json?to=1970-01-01T00:00:00Z&minutes=43200"),
    "a cursor of the year 5138": get(b"/images?cursor=99999999999999-" + MD5),
    "operators": get(b"/images?limit[$gt]=1&host[$ne]=x"),
    "thousands of arguments": get(b"/images?" + b"&".join(b"a%d=1" % number for number in range(3_000))),
    "tags without end": get(b"/image/" + MD5, b"If-None-Match: " + b'"a",' * 2_000 + b"\r\n"),
    "ranges without end": get(b"/image/" + MD5, b"Range: bytes=" + b"0-1," * 2_000 + b"\r\n"),
    "odd cookies": get(b"/", b'Cookie: graymill_session=\xff\xfe; a="; =\r\n'),
    "odd preferences": get(b"/images", b"Accept: text/html;q=abc, application/json;q=99999999999999999999\r\n"),
}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api") / "log"


@pytest.fixture
def port(environment: dict[str, str], world: World, log: Path) -> Iterator[int]:
    """Run the API as a process, with what its examples name."""
    world.make_examples_true()
    (port,) = free_ports(1)
    variables = {**os.environ, **environment, "API_PORT": str(port), "API_KEYS": KEY, "API_MAX_BODY_BYTES": "65536"}
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "services.api"], env=variables, stderr=output)
    try:
        eventually(lambda: "listening" in log.read_text())
        eventually(lambda: answer(port, get(b"/ready"))[0] == 200, what="broker and database are there")
        yield port
    finally:
        process.kill()
        process.wait()


def answer(port: int, request: bytes) -> tuple[int, bytes]:
    """Give the status and the body."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n", 1))
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def test_each_is_refused_with_a_sentence_or_answered(port: int, topology: object, log: Path) -> None:
    surprises = []
    for name, (request, status, says) in REFUSED.items():
        found, body = answer(port, request)
        if found != status or says not in json.loads(body)["detail"] or json.loads(body)["status"] != status:
            surprises.append((name, found, body[:200]))
    surprises += [(name, *found) for name, request in ANSWERED.items() if (found := answer(port, request))[0] != 200]
    assert surprises == []
    assert "Traceback" not in log.read_text()
