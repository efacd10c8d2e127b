"""Deleting a task: what is pending is cancelled, images stay for who else has them, and the others are gone."""

from datetime import timedelta
from uuid import UUID

import pytest

from common.database import Database
from common.deletion import delete_task, held
from common.items import item_id
from common.tally import tally
from tests.api_world import NOON
from tests.crashing_database import Crash, CrashingDatabase
from tests.exporting import Command, manifest
from tests.page_world import PageWorld


@pytest.fixture
def shared(pages: PageWorld) -> tuple[UUID, UUID, str, str]:
    """Give two tasks, and two images: the first task has both, the other one has the second."""
    own, common = pages.world.image(b"own"), pages.world.image(b"common", at=NOON + timedelta(seconds=1))
    one = pages.read(pages.task(), [f"https://a.example/{n}" for n in range(3)])
    other = pages.read(pages.task(page="https://b.example/"), ["https://b.example/1"])
    pages.world.end(one, 1, "success", md5=own, file_name="0")
    pages.world.end(one, 2, "success", md5=common, file_name="1")
    pages.world.end(other, 1, "duplicate", md5=common)
    return one, other, own, common


def addresses(md5: str) -> list[str]:
    return [f"/image/{md5}", f"/image/{md5}/original", f"/images/{md5}", f"/stats/{md5}/mean"]


def statuses(client, md5: str) -> set[int]:
    return {client.get(address).status_code for address in addresses(md5)}


def listed(client) -> list[str]:
    seen, address = [], "/images?limit=1"
    while address:
        answer = client.get(address).json
        seen += [image["md5"] for image in answer["images"]]
        address = answer["next"]
    return seen


def test_images_of_nobody_are_gone_and_those_of_another_task_stay(client, database, shared):
    one, other, own, common = shared
    assert listed(client) == [common, own]
    delete_task(database, one)
    assert statuses(client, own) == {404}
    assert statuses(client, common) == {200}
    assert listed(client) == [common]
    assert {client.get("/randomimage").headers["Location"] for _ in range(20)} == {f"/image/{common}"}
    assert client.get(f"/images_tasks/{other}/images/{common}").status_code == 200
    assert client.get("/stats/0/mean").status_code == 404, "nor is it found by its file name"
    delete_task(database, other)
    assert (statuses(client, common), listed(client)) == ({404}, [])
    assert client.get("/randomimage").status_code == 404


def test_what_was_pending_is_cancelled_and_the_ledger_stays_true(client, database, shared):
    one, *_ = shared
    delete_task(database, one)
    counted = tally(database, one)
    assert (counted.success, counted.error, counted.pending, counted.total) == (3, 1, 0, 4)
    page, first, _second, third = client.get(f"/url_tasks/{one}/items").json["items"]
    assert (page["outcome"], first["outcome"], first["md5"]) == ("success", "success", None)
    assert (third["outcome"], third["reason"]) == ("error", "cancelled")
    html = client.get(f"/url_tasks/{one}/items", headers={"Accept": "text/html"}).text
    assert html.count("let go of since") == 2


def test_an_export_leaves_out_what_is_gone_and_the_page_itself(database, environment, shared, tmp_path):
    one, other, own, common = shared
    database["images"].update_many({}, {"$set": {"url": "https://a.example/1"}})
    exporting = Command(environment["MONGO_URL"])
    exporting.succeed("--out", tmp_path / "before", "--format", "jsonl")
    assert {line["md5"] for line in manifest(tmp_path / "before")} == {own, common}
    delete_task(database, one)
    exporting.succeed("--out", tmp_path / "all", "--format", "jsonl")
    assert [line["md5"] for line in manifest(tmp_path / "all")] == [common]
    exporting.succeed("--out", tmp_path / "other", "--format", "jsonl", "--task", other)
    assert [(line["line"], line["md5"]) for line in manifest(tmp_path / "other")] == [(1, common)]


def test_an_image_that_is_found_again_is_back(client, database, shared, pages):
    one, _other, own, common = shared
    delete_task(database, one)
    again = pages.read(pages.task(page="https://c.example/"), ["https://c.example/1"])
    pages.world.end(again, 1, "duplicate", md5=own)
    assert statuses(client, own) == {200}
    assert listed(client) == [common, own]


def test_many_images_that_are_gone_make_no_empty_pages(client, database, pages):
    there = pages.world.image(b"there", at=NOON - timedelta(seconds=1))
    task_id = pages.read(pages.task(), [f"https://a.example/{n}" for n in range(7)])
    for line in range(1, 8):
        pages.world.end(task_id, line, "success", md5=pages.world.image(bytes([line])))
    delete_task(database, task_id)
    answer = client.get("/images?limit=2").json
    assert ([image["md5"] for image in answer["images"]], answer["next"]) == ([there], None)


def test_a_deletion_that_dies_anywhere_is_completed_by_another(client, database, pages):
    def task() -> tuple[UUID, str]:
        md5 = pages.world.image(b"an image")
        task_id = pages.read(pages.task(), ["https://a.example/1", "https://a.example/2"])
        pages.world.end(task_id, 1, "success", md5=md5)
        return task_id, md5

    task_id, md5 = task()
    counting = CrashingDatabase(database)
    delete_task(counting, task_id)
    for crash_at in range(1, len(counting.operations) + 1):
        for name in ("tasks", "items", "pages", "images", "grays", "originals"):
            database[name].delete_many({})
        task_id, md5 = task()
        with pytest.raises(Crash):
            delete_task(CrashingDatabase(database, crash_at), task_id)
        delete_task(database, task_id)
        assert statuses(client, md5) == {404}
        assert tally(database, task_id).pending == 0


def test_an_item_that_is_being_stored_is_waited_for(database, pages):
    """Its image is claimed, so that it can no longer be cancelled; it ends while the deletion looks."""
    task_id = pages.read(pages.task(), ["https://a.example/1"])
    pages.world.image(b"x")
    line = {"_id": item_id(task_id, 1)}
    database["items"].update_one(line, {"$set": {"message_id": task_id}})
    looks: list[float] = []

    def end(seconds: float) -> None:
        looks.append(seconds)
        pages.world.end(task_id, 1, "success", md5="9dd4e461268c8034f5c8564e155c67a6")

    delete_task(database, task_id, sleep=end)
    assert len(looks) == 1
    item = database["items"].find_one(line)
    assert (item["outcome"], "md5" in item) == ("success", False)


def test_who_has_an_image_is_read_from_the_index_alone_however_many_have_it(database: Database) -> None:
    md5s = [f"{number:032x}" for number in range(3)]
    database["items"].insert_many([{"md5": md5s[n % 2], "task_id": n, "url": "x"} for n in range(1_000)])
    assert held(database, md5s) == set(md5s[:2])
    distinct = {"distinct": "items", "key": "md5", "query": {"md5": {"$in": md5s}}}
    read = database.command("explain", distinct, verbosity="executionStats")["executionStats"]
    assert read["totalKeysExamined"] < 10
    assert read["totalDocsExamined"] == 0
