"""The histogram: equal to the ledger, minute by minute, with no event lost at an edge and no minute left out."""

import gzip
import json
import random
import re
from collections import Counter
from datetime import timedelta
from uuid import uuid4

from pymongo import UpdateOne

from common.items import item_id
from tests.api_world import NOON

TWO_HOURS = "from=2024-05-31T12:00:00Z&to=2024-05-31T14:00:00Z"
MINUTE = timedelta(minutes=1)


def test_the_histogram_equals_the_ledger_with_edges_and_empty_minutes(client, world):
    """10,000 items end over 120 minutes: at random, at both ends of minutes, and in some minutes none."""
    chance = random.Random(20240531)
    task_id = world.task([f"https://a.example/{line}" for line in range(10_000)])
    expected = Counter()
    updates = []
    for line in range(1, 10_001):
        minute = chance.choice([number for number in range(120) if number % 7])
        millisecond = chance.choice([0, 1, 59_999, chance.randrange(60_000)])
        outcome = chance.choice(["success", "success", "duplicate", "error"])
        expected[minute, outcome] += 1
        ended = {"outcome": outcome, "finished_at": NOON + minute * MINUTE + timedelta(milliseconds=millisecond)}
        updates.append(UpdateOne({"_id": item_id(task_id, line)}, {"$set": ended}))
    world.database["items"].bulk_write(updates)
    for query in (TWO_HOURS, f"{TWO_HOURS}&task={task_id}"):
        figures = client.get(f"/monitoring.json?{query}").json
        assert figures["bin_seconds"] == 60
        assert [row["minute"] for row in figures["minutes"]] == [
            (NOON + number * MINUTE).strftime("%Y-%m-%dT%H:%M:%SZ") for number in range(120)
        ]
        found = Counter()
        for number, row in enumerate(figures["minutes"]):
            found.update({(number, outcome): row[outcome] for outcome in ("success", "duplicate", "error")})
        assert +found == expected
        assert sum(figures["totals"].values()) == 10_000


def test_the_end_of_the_span_belongs_to_the_next_one(client, world):
    task_id = world.task(["https://a.example"] * 3)
    for line, at in enumerate((NOON - timedelta(milliseconds=1), NOON, NOON + MINUTE), start=1):
        world.end(task_id, line, "success", at=at)
    figures = client.get("/monitoring.json?from=2024-05-31T12:00:00Z&to=2024-05-31T12:01:00Z").json
    assert figures["minutes"] == [{"minute": "2024-05-31T12:00:00Z", "success": 1, "duplicate": 0, "error": 0}]


def test_the_default_is_the_last_hour_up_to_now(client):
    figures = client.get("/monitoring.json").json
    assert len(figures["minutes"]) == 60
    assert all(row["success"] == row["duplicate"] == row["error"] == 0 for row in figures["minutes"])
    assert len(client.get("/monitoring.json?minutes=1440").json["minutes"]) == 1440


def test_one_task_is_counted_without_the_others(client, world):
    mine = world.settled_task({"success": 2, "error": 1})
    world.settled_task({"success": 5, "duplicate": 5})
    figures = client.get(f"/monitoring.json?{TWO_HOURS}&task={mine}").json
    assert figures["totals"] == {"success": 2, "duplicate": 0, "error": 1}


def test_an_unknown_task_is_404_and_what_is_no_id_422(client):
    for path in ("/monitoring", "/monitoring.json"):
        assert client.get(f"{path}?task={uuid4()}").status_code == 404
        assert client.get(f"{path}?task=x").status_code == 422
        assert client.get(f"{path}?from=2024-05-31T12:00:01Z&to=2024-05-31T12:00:00Z").status_code == 422
        assert client.get(f"{path}?from=2014-05-31T12:00:00Z&to=2024-05-31T12:00:00Z").status_code == 422
        assert client.get(f"{path}?minutes=5").status_code == 422


def test_the_counting_reads_an_index_and_no_item(client, world):
    task_id = world.settled_task({"success": 30, "error": 5})
    world.database.command("profile", 2)
    client.get(f"/monitoring.json?{TWO_HOURS}")
    client.get(f"/monitoring.json?{TWO_HOURS}&task={task_id}")
    world.database.command("profile", 0)
    counted = list(world.database["system.profile"].find({"command.aggregate": "items"}))
    assert [(entry["docsExamined"], entry["keysExamined"] >= 35) for entry in counted] == [(0, True)] * 2


def test_the_page_carries_the_figure_of_the_same_figures_and_no_inline_script(client, world):
    world.settled_task({"success": 3, "duplicate": 2, "error": 1})
    page = client.get(f"/monitoring?{TWO_HOURS}").text
    figure = json.loads(re.search(r'<script type="application/json" id="figure">(.*?)</script>', page, re.DOTALL)[1])
    assert {bars["name"]: sum(bars["y"]) for bars in figure["data"]} == {"success": 3, "duplicate": 2, "error": 1}
    assert all(len(bars["x"]) == len(bars["y"]) == 120 for bars in figure["data"])
    assert re.findall(r"<script(?! src=| type=\"application/json\")", page) == []
    assert "2024-05-31 12:00" in page


def test_the_pages_policy_allows_no_script_but_ours(client):
    policy = client.get("/monitoring").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy
    assert "'unsafe-inline'" not in policy.replace("style-src 'self' 'unsafe-inline'", "")
    assert "unsafe" not in client.get("/").headers["Content-Security-Policy"]


def test_plotly_is_served_by_us_for_ever_and_compressed_for_who_accepts_it(client):
    address = re.search(r'src="(/plotly/[^"]+)"', client.get("/monitoring").text)[1]
    plain = client.get(address)
    gzipped = client.get(address, headers={"Accept-Encoding": "gzip, br"})
    assert gzip.decompress(gzipped.data) == plain.data
    assert len(gzipped.data) < len(plain.data) / 3
    assert gzipped.headers["Content-Encoding"] == "gzip"
    assert "immutable" in plain.headers["Cache-Control"]
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert plain.headers["ETag"] != gzipped.headers["ETag"]
    assert client.get(address, headers={"Accept-Encoding": "gzip;q=0"}).data == plain.data
    assert client.get("/plotly/0.0.1/plotly.min.js").status_code == 404
