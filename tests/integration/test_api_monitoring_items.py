"""The items behind a bar: as many as it says, a page at a time."""

import random
from datetime import datetime

import pytest

from common.items import Outcome
from tests.generated_history import MINUTE, TWO_HOURS, generate


def test_the_items_behind_every_bar_are_as_many_as_it_says(client, world):
    task_id = generate(world, 600)
    world.settled_task({"success": 3, "error": 4})
    figures = client.get(f"/monitoring.json?{TWO_HOURS}&task={task_id}").json
    chance = random.Random(1)
    for row in chance.sample(figures["bins"], 8):
        start = datetime.fromisoformat(row["start"])
        span = f"from={row['start']}&to={(start + MINUTE).strftime('%Y-%m-%dT%H:%M:%SZ')}&task={task_id}"
        for outcome in ("success", "duplicate", "error"):
            assert len(client.get(f"/monitoring/items?{span}&outcome={outcome}").json["items"]) == row[outcome]
        for reason, count in row["reasons"].items():
            found = client.get(f"/monitoring/items?{span}&reason={reason}").json["items"]
            assert [item["item"]["reason"] for item in found] == [reason] * count


def test_the_items_are_paged_latest_first_without_a_hole_or_a_repetition(client, world):
    generate(world, 300)
    for filters in ("", "&outcome=error", "&host=a.example", "&host=a.example&outcome=error"):
        seen, address = [], f"/monitoring/items?{TWO_HOURS}&limit=37{filters}"
        while address:
            page = client.get(address)
            seen += page.json["items"]
            address = page.json["next"]
            assert ("Link" in page.headers) == (address is not None)
        ends = [(datetime.fromisoformat(item["item"]["finished_at"]), item["item"]["id"]) for item in seen]
        assert sorted(set(ends), reverse=True) == ends
        which = {"outcome": "error"} if "outcome" in filters else {}
        which |= {"host": "a.example"} if "host" in filters else {}
        assert len(seen) == world.database["items"].count_documents(which)


def test_a_page_of_items_reads_no_more_than_a_page(client, world):
    generate(world, 1_000)
    world.database.command("profile", 2)
    address = f"/monitoring/items?{TWO_HOURS}&limit=10"
    for _ in range(5):
        address = client.get(address).json["next"]
    world.database.command("profile", 0)
    entries = list(world.database["system.profile"].find({"command.find": "items"}))
    assert len(entries) == 5
    # A few more than eleven: those that ended in the same millisecond as the last one of the page before.
    assert all(entry["docsExamined"] <= 24 and entry["keysExamined"] <= 24 for entry in entries)
    assert not any(entry.get("hasSortStage") for entry in entries)


@pytest.mark.parametrize("outcome", Outcome)
def test_items_that_did_not_end_are_not_among_those_that_did(client, world, outcome):
    world.settled_task({"success": 1, "duplicate": 1, "error": 1, "pending": 1})
    found = client.get(f"/monitoring/items?{TWO_HOURS}&outcome={outcome}").json["items"]
    assert len(found) == (outcome is not Outcome.PENDING)
