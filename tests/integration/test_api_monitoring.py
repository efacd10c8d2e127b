"""The histogram: equal to the ledger, bar by bar, with no event lost at an edge and no minute left out."""

import csv
import io
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import uuid4

from services.api.queries.hours import MUCH
from tests.api_world import NOON
from tests.generated_history import MINUTE, TWO_HOURS, generate, ledger


def bins(figures):
    found = Counter()
    for row in figures["bins"]:
        start = datetime.fromisoformat(row["start"])
        ends = {outcome: row[outcome] for outcome in ("success", "duplicate", "error")}
        found.update({(start, end): count for end, count in (ends | row["reasons"]).items()})
    return +found


def test_the_histogram_equals_the_ledger_in_120_of_120_minutes(client, world):
    task_id = generate(world, MUCH)
    world.settled_task({"success": 50, "error": 50})
    for filters, which in (
        ("", {}),
        (f"&task={task_id}", {"task_id": task_id}),
        ("&host=b.example", {"host": "b.example"}),
        (f"&host=b.example&task={task_id}", {"host": "b.example", "task_id": task_id}),
        ("&host=C.Example", {"host": "c.example"}),
    ):
        for _ in range(2):  # counted, and kept from the first time
            figures = client.get(f"/monitoring.json?{TWO_HOURS}{filters}").json
            assert figures["bin_seconds"] == 60
            assert [row["start"] for row in figures["bins"]] == [
                (NOON + number * MINUTE).strftime("%Y-%m-%dT%H:%M:%SZ") for number in range(120)
            ]
            assert bins(figures) == ledger(world, **which)
            assert sum(figures["totals"]["reasons"].values()) == figures["totals"]["error"]
    assert world.database["hours"].count_documents({}) > 0


def test_much_is_kept_and_little_is_not(client, world):
    generate(world, MUCH - 1)
    client.get(f"/monitoring.json?{TWO_HOURS}")
    assert world.database["hours"].count_documents({}) == 0
    world.settled_task({"success": 1})
    client.get(f"/monitoring.json?{TWO_HOURS}")
    assert world.database["hours"].count_documents({}) == 2


def test_a_month_is_cut_into_at_most_1440_bars_that_hold_the_same_items(client, world):
    generate(world, 2_000)
    for minutes, bin_seconds in ((120, 60), (1_440, 60), (1_441, 120), (4_320, 180), (10_080, 600), (43_200, 1_800)):
        figures = client.get(f"/monitoring.json?to=2024-05-31T14:00:00Z&minutes={minutes}").json
        assert (figures["bin_seconds"], figures["totals"]["success"]) == (bin_seconds, ledger_sum(world, "success"))
        starts = [datetime.fromisoformat(row["start"]) for row in figures["bins"]]
        assert len(starts) <= 1_440
        assert {later - earlier for earlier, later in pairwise(starts)} == {timedelta(seconds=bin_seconds)}
        expected = Counter()
        for (minute, end), count in ledger(world).items():
            start = max(start for start in starts if start <= minute)
            expected[start, end] += count
        assert bins(figures) == expected


def ledger_sum(world, outcome):
    return world.database["items"].count_documents({"outcome": outcome})


def test_the_end_of_the_span_belongs_to_the_next_one(client, world):
    task_id = world.task(["https://a.example"] * 3)
    for line, at in enumerate((NOON - timedelta(milliseconds=1), NOON, NOON + MINUTE), start=1):
        world.end(task_id, line, "success", at=at)
    figures = client.get("/monitoring.json?from=2024-05-31T12:00:00Z&to=2024-05-31T12:01:00Z").json
    assert figures["bins"] == [
        {"success": 1, "duplicate": 0, "error": 0, "reasons": {}, "start": "2024-05-31T12:00:00Z"}
    ]


def test_the_default_is_the_last_hour_up_to_now(client):
    figures = client.get("/monitoring.json").json
    assert len(figures["bins"]) == 60
    assert all(row["success"] == row["duplicate"] == row["error"] == 0 for row in figures["bins"])


def test_an_unknown_task_is_404_and_what_is_no_id_422(client):
    for path in ("/monitoring", "/monitoring.json", "/monitoring.csv", "/monitoring/items", "/testmonitoring"):
        assert client.get(f"{path}?task={uuid4()}").status_code == 404
        assert client.get(f"{path}?task=x").status_code == 422
        assert client.get(f"{path}?host={'x' * 254}").status_code == 422
        assert client.get(f"{path}?from=2024-05-31T12:00:01Z&to=2024-05-31T12:00:00Z").status_code == 422
        assert client.get(f"{path}?from=2014-05-31T12:00:00Z&to=2024-05-31T12:00:00Z").status_code == 422
        assert client.get(f"{path}?minutes=5").status_code == 422
        assert client.get(f"{path}?minutes=43201").status_code == 422
    assert client.get("/monitoring?by=size").status_code == 422


def test_the_table_for_programs_holds_the_same_figures(client, world):
    generate(world, 500)
    answer = client.get(f"/monitoring.csv?{TWO_HOURS}")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 120
    found = Counter()
    for row in rows:
        start = datetime.fromisoformat(row.pop("start"))
        found.update({(start, end): int(count) for end, count in row.items()})
    assert +found == ledger(world)


def test_what_is_counted_is_read_from_an_index_and_no_item(client, world):
    task_id = world.settled_task({"success": 30, "error": 5})
    world.database.command("profile", 2)
    for filters in ("", f"&task={task_id}", "&host=images.example", f"&host=images.example&task={task_id}"):
        client.get(f"/monitoring.csv?{TWO_HOURS}{filters}")
    world.database.command("profile", 0)
    entries = list(world.database["system.profile"].find({"command.aggregate": "items"}))
    assert [(entry["docsExamined"], entry["keysExamined"] >= 35) for entry in entries] == [(0, True)] * 4


def test_the_hosts_that_fail_most_come_first_with_their_most_frequent_reason(client, world):
    for host, reason, count in (
        ("a.example", "dns", 3),
        ("b.example", "timeout", 4),
        ("b.example", "dns", 5),
        ("c.example", "tls", 1),
    ):
        task_id = world.task([f"https://{host}/{number}" for number in range(count)])
        for line in range(1, count + 1):
            world.end(task_id, line, "error", reason=reason)
    assert client.get(f"/monitoring.json?{TWO_HOURS}").json["failing_hosts"] == [
        {"host": "b.example", "errors": 9, "reason": "dns"},
        {"host": "a.example", "errors": 3, "reason": "dns"},
        {"host": "c.example", "errors": 1, "reason": "tls"},
    ]
    mine = client.get(f"/monitoring.json?{TWO_HOURS}&task={task_id}").json
    assert [host["host"] for host in mine["failing_hosts"]] == ["c.example"]


def test_latencies_are_percentiles_of_the_latest_items_by_stage(client, world):
    task_id = world.task(["https://a.example/"] * 101)
    for line in range(1, 101):
        world.end(task_id, line, "success", took_ms=[line, 10 * line, 0, 0, 5, 1_000])
    world.end(task_id, 101, "error", took_ms=[7, 8, 9, 10])
    found = {stage["stage"]: stage for stage in client.get(f"/monitoring.json?{TWO_HOURS}").json["latencies"]}
    assert list(found) == ["fetch", "decode", "join", "whole"]
    assert found["fetch"]["items"] == 101
    assert found["decode"]["waiting"] == {"p50_seconds": 0, "p95_seconds": 0, "p99_seconds": 0}
    assert found["fetch"]["waiting"] == {"p50_seconds": 0.05, "p95_seconds": 0.095, "p99_seconds": 0.099}
    assert found["join"]["working"]["p50_seconds"] == 1
    assert found["whole"]["waiting"] is None


def test_throughput_is_of_the_time_that_has_passed(client, world):
    world.settled_task({"success": 60, "duplicate": 60})
    rates = client.get("/monitoring.json?from=2024-05-31T12:00:00Z&to=2024-05-31T12:10:00Z").json["throughput"]
    assert rates == {"latest": 0, "busiest": 1, "mean": 0.2}
