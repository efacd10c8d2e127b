"""The images of a page over HTTP: listed, one by one, and all together in an archive that is made while it is sent."""

import io
import json
import socket
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from bson import Binary
from waitress.server import create_server

from common.settings import Settings
from services.api.__main__ import give_up_stalled
from services.api.app import create_app
from services.api.archive import LINES, Archive, Variant
from tests.answering import answering
from tests.api_world import open_cursors
from tests.crashing_database import Crash, CrashingDatabase
from tests.fleet import eventually


def archive_of(answer) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.testzip() is None
    return archive


def manifest_of(archive: zipfile.ZipFile) -> list[dict]:
    return [json.loads(line) for line in archive.read("manifest.jsonl").splitlines()]


@pytest.fixture
def task(pages):
    """Give a task with two images, of which one is there twice, a failed one and a pending one."""
    task_id = pages.read(pages.task(), [f"https://a.example/{n}" for n in range(1, 6)])
    one, two = pages.world.image(b"one", kind="JPEG"), pages.world.image(b"two")
    pages.world.end(task_id, 1, "success", md5=one)
    pages.world.end(task_id, 2, "error", status=404)
    pages.world.end(task_id, 3, "duplicate", md5=two)
    pages.world.end(task_id, 4, "duplicate", md5=one)
    return task_id, one, two


def test_images_are_listed_in_the_order_of_the_page_without_the_page_itself(client, task):
    task_id, one, _two = task
    seen, address = [], f"/images_tasks/{task_id}/images?limit=2"
    while address:
        answer = client.get(address).json
        seen += answer["images"]
        address = answer["next"]
    assert [(image["line"], image["outcome"]) for image in seen] == [
        *((1, "success"), (2, "error"), (3, "duplicate"), (4, "duplicate"), (5, "pending")),
    ]
    first, failed = seen[:2]
    assert (first["url"], first["md5"], first["length_bytes"], first["format"]) == (
        *("https://a.example/1", one, 3),
        "JPEG",
    )
    assert (first["width"], first["height"]) == (3, 2)
    assert (failed["reason"], failed["status"], failed["links"], failed["width"]) == ("http_4xx", 404, {}, None)
    assert client.get(first["links"]["original"]).data == b"one"
    assert client.get(first["links"]["gray"]).mimetype == "image/png"
    assert client.get(first["links"]["metadata"]).json["md5"] == one
    some = client.get(f"/images_tasks/{task_id}/images?reason=http_4xx").json["images"]
    assert [image["line"] for image in some] == [2]


def test_an_image_is_given_with_its_type_and_only_by_a_task_that_has_it(client, pages, task):
    task_id, one, _two = task
    answer = client.get(f"/images_tasks/{task_id}/images/{one}")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/jpeg", b"one")
    assert answer.headers["Cache-Control"] == "no-cache"
    again = client.get(f"/images_tasks/{task_id}/images/{one}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    gray = client.get(f"/images_tasks/{task_id}/images/{one}?variant=gray")
    assert gray.data == client.get(f"/image/{one}").data
    assert client.get(f"/images_tasks/{task_id}/images/{one}?variant=both").status_code == 422
    other = pages.world.image(b"of nobody")
    assert "No image of this task" in client.get(f"/images_tasks/{task_id}/images/{other}").json["detail"]
    assert client.get(f"/images_tasks/{task_id}/images/{'x' * 32}").status_code == 404


def test_the_archive_has_each_image_once_and_a_manifest_of_every_line(client, task):
    task_id, one, two = task
    answer = client.get(f"/images_tasks/{task_id}/archive")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="images-{task_id}.zip"'
    archive = archive_of(answer)
    assert {name: archive.read(name) for name in archive.namelist()[:-1]} == {
        f"images/{one}.jpg": b"one",
        f"images/{two}.png": b"two",
    }
    assert {member.compress_type for member in archive.infolist()[:-1]} == {zipfile.ZIP_STORED}
    assert all(member.flag_bits & 8 == 0 for member in archive.infolist()), "the lengths stand before the bytes"
    lines = manifest_of(archive)
    assert [(line["line"], line["outcome"], line["md5"], line["file"]) for line in lines] == [
        (1, "success", one, f"images/{one}.jpg"),
        (2, "error", None, None),
        (3, "duplicate", two, f"images/{two}.png"),
        (4, "duplicate", one, f"images/{one}.jpg"),
        (5, "pending", None, None),
    ]
    assert (lines[1]["reason"], lines[1]["status"], lines[1]["detail"]) == ("http_4xx", 404, "404 Not Found")
    assert (lines[3]["url"], lines[3]["width"], lines[3]["gray_file"]) == ("https://a.example/4", 3, None)
    assert client.get(f"/images_tasks/{task_id}/archive").data == answer.data


@pytest.mark.parametrize(("variant", "folders"), [("gray", ["gray"]), ("both", ["images", "gray"])])
def test_the_archive_has_the_variants_that_are_asked_for(client, task, variant, folders):
    task_id, one, two = task
    archive = archive_of(client.get(f"/images_tasks/{task_id}/archive?variant={variant}"))
    assert [name.partition("/")[0] for name in archive.namelist()[:-1]] == folders * 2
    assert archive.read(f"gray/{two}.png") == client.get(f"/image/{two}").data
    line = manifest_of(archive)[0]
    assert (line["gray_file"], line["file"]) == (f"gray/{one}.png", f"images/{one}.jpg" if variant == "both" else None)


def test_an_image_without_an_original_is_in_the_manifest_only(client, pages):
    task_id = pages.read(pages.task(), ["https://a.example/1"])
    pages.world.end(task_id, 1, "success", md5=pages.world.image(b"one", keep=False))
    archive = archive_of(client.get(f"/images_tasks/{task_id}/archive"))
    assert archive.namelist() == ["manifest.jsonl"]
    assert (manifest_of(archive)[0]["file"], manifest_of(archive)[0]["width"]) == (None, 3)


def test_the_archive_of_a_page_that_waits_has_an_empty_manifest(client, pages):
    archive = archive_of(client.get(f"/images_tasks/{pages.task()}/archive"))
    assert archive.read("manifest.jsonl") == b""


def test_a_page_of_more_images_than_are_read_at_once_is_whole(client, pages):
    count = 2 * LINES + 1
    task_id = pages.read(pages.task(), [f"https://a.example/{n}" for n in range(count)])
    archive = archive_of(client.get(f"/images_tasks/{task_id}/archive"))
    assert [line["line"] for line in manifest_of(archive)] == list(range(1, count + 1))


def test_the_archive_is_sent_while_it_is_made_an_image_at_a_time(database, pages):
    task_id, large = large_task(pages, images=4)
    pieces = Archive(database, task_id, Variant.ORIGINAL).pieces()
    first = next(pieces)
    assert large < len(first) < large + 1024
    pieces.close()


def test_an_archive_that_cannot_be_finished_is_none(database, task):
    sent: list[bytes] = []
    archive = Archive(CrashingDatabase(database, crash_at=5), task[0], Variant.ORIGINAL)
    with pytest.raises(Crash):
        sent.extend(archive.pieces())
    assert sent[0].startswith(b"PK")
    assert not zipfile.is_zipfile(io.BytesIO(b"".join(sent)))


def test_head_makes_no_archive_and_takes_no_room(client, task):
    for _ in range(20):
        with client.head(f"/images_tasks/{task[0]}/archive") as answer:
            assert (answer.status_code, answer.data) == (200, b"")


def large_task(pages, *, images: int, megabytes: int = 8):
    """Write a task of large images; gives it and the bytes of each."""
    task_id = pages.read(pages.task(), [f"https://a.example/{n}" for n in range(images)])
    for line in range(1, images + 1):
        body = bytes([line]) * (megabytes << 20)
        md5 = pages.world.image(bytes([line]), keep=False)
        pages.database["originals"].insert_one({"_id": md5, "body": Binary(body)})
        pages.world.end(task_id, line, "success", md5=md5)
    return task_id, megabytes << 20


@contextmanager
def listening(database, publisher, *, stalled_seconds: float) -> Iterator[int]:
    """Serve with four threads as the API does, but give a stalled client up after so long; gives the port."""
    app = create_app(Settings.from_environ({"API_THREADS": "4"}), database, publisher)
    server = create_server(app, host="127.0.0.1", port=0, threads=4)
    give_up_stalled(server, stalled_seconds)
    with answering(server) as port:
        yield port


def begun(port: int, task_id) -> socket.socket:
    """Ask for an archive and read only its beginning."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(f"GET /images_tasks/{task_id}/archive HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


def status_of(port: int, path: str) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return connection.recv(12)[-3:].decode()


@pytest.mark.parametrize(("way", "stalled_seconds"), [("closes", 60.0), ("stalls", 5.0)])
def test_clients_that_go_away_in_the_middle_leave_no_thread_and_no_cursor_behind(
    database, publisher, pages, way, stalled_seconds
):
    task_id, _large = large_task(pages, images=12)
    path = f"/images_tasks/{task_id}/archive"
    with listening(database, publisher, stalled_seconds=stalled_seconds) as port:
        readers = [begun(port, task_id), begun(port, task_id)]
        assert status_of(port, path) == "503", "only so many at once"
        assert status_of(port, "/health") == "200", "the others are served"
        if way == "closes":
            for reader in readers:
                reader.close()
        eventually(lambda: status_of(port, path) == "200", deadline_seconds=30, what="the threads are free again")
        for reader in readers:
            reader.close()
    assert open_cursors(database) == 0
