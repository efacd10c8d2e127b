"""Lists of URLs whose servers misbehave, through real workers: how each ends, when, and how often it was asked for."""

import base64
import io
import json
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from common.database import Database
from common.topology import Topology
from tests.accounts import check_accounts
from tests.downloading import downloader, failure, names
from tests.fleet import eventually, fleet
from tests.integration.test_cli import Cli
from tests.raw_server import OK, RawServer, Visit, talking, whole
from tests.stopwatch import within

WORKERS = {"fetcher": 1, "scraper": 1, "hasher": 1, "grayscaler": 1, "aggregator": 1}
KERNEL_BYTES = 512 * 1024
"""What may be on its way in the buffers of both sockets when the client stops to read."""

PAGE = """<!doctype html><meta charset=latin-1><base href="{base}"><title>\x07b\x1b[31m\xe9</title>
<p>\x00text\x0b\xe9<script>alert(1)</script>
<img src=a.png><img srcset="b.png 1x, c.png 2x"><img data-src=d.png loading=lazy>
<img src="data:image/png;base64,{inline}"><img src="data:,">
<img src="file:///etc/passwd"><img src="javascript:alert(1)"><img src="{public}">"""


def image(shade: int) -> bytes:
    body = io.BytesIO()
    Image.new("RGB", (64, 48), (shade, 0, 0)).save(body, "PNG")
    return body.getvalue()


class Origin:
    """A host that answers by its paths, and notes when it was asked for which."""

    def __init__(self) -> None:
        self.page = b""
        self.asked: dict[str, list[float]] = {}

    def __call__(self, visit: Visit) -> None:
        while head := visit.request():
            path = head.split()[1].decode()
            times = self.asked.setdefault(path, [])
            times.append(time.monotonic())
            self.answer(visit, path, first=len(times) == 1)

    def answer(self, visit: Visit, path: str, *, first: bool) -> None:
        statuses = {"/forbidden": 403, "/missing": 404, "/gone": 410}
        if path in statuses:
            visit.send(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % statuses[path])
        elif path == "/day":
            visit.send(b"HTTP/1.1 429 No\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n")
        elif path == "/later" and first:
            visit.send(b"HTTP/1.1 503 No\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n")
        elif path == "/page":
            visit.send(whole(self.page, b"Content-Type: text/html; charset=utf-8"))
        elif path == "/reset" and first:
            visit.send(whole(image(1))[:-50])
            # A linger time of zero makes close() send RST.
            visit.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise ConnectionError
        else:
            visit.send(whole(image({"/reset": 1, "/later": 2}.get(path, 3))))


@pytest.fixture
def origins() -> Iterator[list[tuple[RawServer, Origin]]]:
    """Have hosts of addresses of their own, since one that asks for a pause gets it for all its URLs."""
    with ExitStack() as stack:
        found = []
        for last in range(2, 6):
            origin = Origin()
            found.append((stack.enter_context(talking(origin, host=f"127.0.0.{last}")), origin))
        yield found


def test_each_ends_with_its_reason_and_is_asked_for_no_more_often_than_it_is_worth(
    *,
    database: Database,
    topology: Topology,
    environment: dict[str, str],
    origins: list[tuple[RawServer, Origin]],
    tmp_path: Path,
) -> None:
    (plain, asked), (later, _), (day, _), (reset, _) = origins
    expected = {
        plain.url("/forbidden"): ("error", "http_4xx", 403, 1),
        plain.url("/missing"): ("error", "http_4xx", 404, 1),
        plain.url("/gone"): ("error", "http_4xx", 410, 1),
        day.url("/day"): ("error", "rate_limited", 429, 1),
        later.url("/later"): ("success", None, None, 2),
        reset.url("/reset"): ("success", None, None, 2),
    }
    twice = plain.url("/例え/ü.png")
    file = tmp_path / "urls.txt"
    file.write_text("\n".join([*expected, twice, twice]))
    with fleet(WORKERS, environment, tmp_path):
        done = Cli(environment)("publish", str(file), "--wait", "--json")
    task_id = UUID(json.loads(done.stdout)["task"])
    check_accounts(database, task_id, len(expected) + 2)
    counts = {server.url(path): len(times) for server, origin in origins for path, times in origin.asked.items()}
    found: dict[str, Any] = {}
    for item in database["items"].find({"task_id": task_id, "url": {"$ne": twice}}):
        found[item["url"]] = (item["outcome"], item.get("reason"), item.get("status"), counts[item["url"]])
    assert found == expected
    assert sorted(item["outcome"] for item in database["items"].find({"url": twice})) == ["duplicate", "success"]
    assert len(asked.asked["/%E4%BE%8B%E3%81%88/%C3%BC.png"]) == 2
    first, second = origins[1][1].asked["/later"]
    assert second - first >= 3


def test_a_page_leads_nowhere_that_a_list_would_not(
    *,
    database: Database,
    topology: Topology,
    environment: dict[str, str],
    origins: list[tuple[RawServer, Origin]],
    tmp_path: Path,
) -> None:
    """Its base is an address that is not public, its charset a lie, and its text has control characters."""
    server, origin = origins[0]
    inline = base64.b64encode(image(9)).decode()
    variables = {**environment, "FETCH_ALLOW_NETS": "127.0.0.2/32"}
    with talking(origins[1][1], host="127.0.0.1") as canary, fleet(WORKERS, variables, tmp_path):
        page = PAGE.format(base=canary.url(), inline=inline, public=server.url("/public.png"))
        origin.page = page.encode()
        done = Cli(variables)("publish", "--page", server.url("/page"), "--wait", "--json")
        assert done.returncode == 0, done.stderr
        assert canary.connections == 0
    found = {item["url"]: item for item in database["items"].find({"line": {"$gt": 0}})}
    ends = {url.removeprefix(canary.url()): item.get("reason", item["outcome"]) for url, item in found.items()}
    blocked = dict.fromkeys(("a.png", "c.png", "d.png"), "blocked_address")
    [shown] = [url for url in ends if url.startswith("data:image/png")]
    assert ends == {**blocked, shown: "success", "data:,": "invalid_url", server.url("/public.png"): "success"}
    for page in database["pages"].find():
        assert "\xe9" in page["title"]
        assert not any(character < " " and character not in "\n\t" for character in page["title"] + page["text"])
        assert "alert" not in page["text"]


def endless_redirect(location: bytes) -> Any:
    def script(visit: Visit) -> None:
        visit.request()
        visit.send(b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 1000000000\r\n\r\n" % location)
        while True:
            visit.send(bytes(8192))

    return script


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        (b"http://127.0.0.1/", "blocked_address"),
        (b"file:///etc/passwd", "invalid_url"),
        (b"", "redirect_limit"),
        (b"http://a.example:99999/", "invalid_url"),
        (b"/" + b"a" * 3_000, "invalid_url"),
        (b"/\x00", "invalid_url"),
    ],
)
def test_of_a_redirect_that_is_refused_the_body_is_not_read(location: bytes, reason: str) -> None:
    with talking(endless_redirect(location)) as server, within(5):
        assert failure(downloader(), server.url()).reason == reason
        eventually(lambda: server.visits[0].connection.fileno() == -1, what="the server sees the end")
        assert server.visits[0].sent_bytes < KERNEL_BYTES
        assert server.connections == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (OK + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n", "too_large"),
        (b"HTTP/1.1 204 No\r\nContent-Length: 8\r\n\r\n", "empty_body"),
        (b"HTTP/1.1 429 No\r\nRetry-After: " + b"9" * 400 + b"\r\nContent-Length: 0\r\n\r\n", "rate_limited"),
        (b"HTTP/1.1 404 \x1b[31m\x00<script>\xff\r\nContent-Length: 0\r\n\r\n", "http_4xx"),
        (OK + b"Content-Length: 8\r\nContent-Length: 4\r\n\r\nabcdefgh", "connect"),
        (b"HTTP/1.1 101 No\r\nUpgrade: websocket\r\n\r\n", "connect"),
        (OK + b"X-Robots-Tag: \xff, noai\r\nContent-Length: 3\r\n\r\nabc", "opt_out"),
    ],
    ids=[
        "endless length",
        "204 with a length",
        "endless Retry-After",
        "odd status",
        "two lengths",
        "101",
        "odd opt-out",
    ],
)
def test_odd_answers_have_their_reason_at_once(answer: bytes, reason: str) -> None:
    def script(visit: Visit) -> None:
        visit.request()
        visit.send(answer)
        visit.pause(30)

    with talking(script) as server, within(5):
        assert failure(downloader(), server.url()).reason == reason


def test_an_international_host_is_fetched_and_shown_as_it_was_written(client: Any) -> None:
    heads: list[bytes] = []

    def script(visit: Visit) -> None:
        heads.append(visit.request())
        visit.send(whole(image(1)))

    with talking(script) as server:
        url = f"http://bücher.例え:{server.port}/ä.png"
        fetching = downloader(names(**{"xn--bcher-kva_xn--r8jz45g": ["127.0.0.2"]}))
        assert fetching.download(url).body == image(1)
    assert b"GET /%C3%A4.png" in heads[0]
    assert f"Host: xn--bcher-kva.xn--r8jz45g:{server.port}".encode() in heads[0]
    task = client.post("/url_tasks", json={"urls": [url]}).json
    assert client.get(f"/url_tasks/{task['id']}/items").json["items"][0]["url"] == url
    assert url in client.get(f"/url_tasks/{task['id']}/items", headers={"Accept": "text/html"}).text
