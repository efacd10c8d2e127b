"""A crash before any operation of the join on the database changes nothing in what is stored in the end (P5)."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from common.database import Database
from common.items import Item
from common.reasons import Reason
from services.aggregator.join import Join
from tests.crashing_database import Crash, CrashingDatabase
from tests.join_world import Fact, counts, item_of, left_behind, submitted, take
from tests.some_facts import failed, grayscaled, hashed, known

BODY = b"\x40 an image's bytes"
OTHER_BODY = b"\x80 other bytes from the same URL"
FACTS: dict[str, Callable[[Item], Fact]] = {
    "h": lambda item: hashed(item, BODY),
    "g": lambda item: grayscaled(item, BODY),
    "H": lambda item: hashed(item, OTHER_BODY),
    "G": lambda item: grayscaled(item, OTHER_BODY),
    "f": failed,
    "k": lambda item: known(item, "0" * 32),
}
ORDERS = ["hg", "gh", "hhgg", "gghh", "hghg", "ghgh", "hf", "kg"]
either_end = pytest.mark.parametrize("again_at_once", [True, False], ids=["again at once", "again at the end"])


def drive(database: Database, facts: Sequence[Fact], crash_at: int | None, *, again_at_once: bool) -> CrashingDatabase:
    """Deliver facts until all are acked; who crashes, gets its message again, and another process goes on."""
    crashing = CrashingDatabase(database, crash_at)
    queue = deque(facts)
    while queue:
        fact = queue.popleft()
        try:
            take(Join(cast(Any, crashing)), [fact])
        except Crash:
            queue.insert(0 if again_at_once else len(queue), fact)
    return crashing


def without_names(state: dict[str, Any], item: Item) -> str:
    """Make states of several items comparable."""
    names = {item.item_id: "item", item.task_id: "task", grayscaled(item, BODY).message_id: "download"}
    text = repr(state)
    for name, word in names.items():
        text = text.replace(repr(name), word)
    return text


def end_state(database: Database, order: str, crash_at: int | None, *, again_at_once: bool) -> tuple[str, int, int]:
    """Give what is left of a fresh item, the halves among it, and how many operations it took."""
    for name in ("images", "grays", "halves"):
        database[name].delete_many({})
    (item,) = submitted(database)
    crashing = drive(database, [FACTS[letter](item) for letter in order], crash_at, again_at_once=again_at_once)
    assert crashing.crash_at is None or crash_at is None, "the crash never came"
    assert sum(counts(database, item.task_id)[:3]) == 1
    state = without_names(left_behind(database, item), item)
    # A gray version whose hash never came may be waited for.
    left = database["halves"].count_documents({}) if "h" in order else 0
    return state, left, len(crashing.operations)


@either_end
@pytest.mark.parametrize("order", ORDERS)
def test_a_crash_before_any_operation_leaves_the_same_state(
    database: Database, order: str, again_at_once: bool
) -> None:
    undisturbed, halves, operations = end_state(database, order, None, again_at_once=True)
    assert halves == 0
    assert operations > 1
    for crash_at in range(1, operations + 1):
        state, halves, _operations = end_state(database, order, crash_at, again_at_once=again_at_once)
        assert (state, halves) == (undisturbed, 0), f"after a crash before operation {crash_at}"


@pytest.mark.parametrize("order", ["hg", "gh"])
@pytest.mark.parametrize("rival", ["f", "k", "HG"])
def test_another_end_that_comes_between_two_steps_wins_or_loses_but_never_mixes(
    database: Database, order: str, rival: str
) -> None:
    """The first process dies at each operation; before its message comes again, the item could end otherwise."""
    ends = set()
    for crash_at in range(1, 30):
        for name in ("images", "grays", "halves"):
            database[name].delete_many({})
        (item,) = submitted(database)
        join, crashing = Join(database), CrashingDatabase(database, crash_at)
        lost = None
        for letter in order:
            try:
                take(Join(cast(Any, crashing)), [FACTS[letter](item)])
            except Crash:
                lost = letter
        for letter in rival + (lost or ""):
            take(join, [FACTS[letter](item)])
        ended = item_of(database, item)
        owners = [image["message_id"] for image in database["images"].find()]
        assert owners == ([ended["message_id"]] if ended["outcome"] == "success" else []), f"crash at {crash_at}"
        ends.add((ended["outcome"], ended.get("md5")))
        if lost is None:
            break
    assert len(ends) == 2, "the other end always won, or never"


@pytest.mark.parametrize("order", ["hg", "gh"])
def test_a_process_that_always_dies_a_step_later_still_ends_every_item(database: Database, order: str) -> None:
    undisturbed, _halves, operations = end_state(database, order, None, again_at_once=True)
    (item,) = submitted(database)
    for name in ("images", "grays", "halves"):
        database[name].delete_many({})
    for letter in order:
        for steps in range(1, operations + 2):
            crashing = CrashingDatabase(database, steps)
            try:
                take(Join(cast(Any, crashing)), [FACTS[letter](item)])
            except Crash:
                continue
            break
        else:
            pytest.fail("never came to its end")
    assert without_names(left_behind(database, item), item) == undisturbed


def test_a_crash_in_a_batch_spares_no_item_and_doubles_none(database: Database) -> None:
    """Three items share their bytes, and one of them fails: at every operation of each batch the process dies once."""
    for crash_at in range(1, 100):
        for name in ("images", "grays", "halves"):
            database[name].delete_many({})
        items = submitted(database, 5)
        bodies = [BODY, BODY, BODY, b"\x01 other", b"\x02 failed"]
        pairs = list(zip(items, bodies, strict=True))
        crashing = CrashingDatabase(database, crash_at)
        batches: list[list[Fact]] = [
            [grayscaled(item, body) for item, body in pairs[:3]],
            [hashed(item, body) for item, body in pairs[1:]],
            [failed(items[4])],
            [grayscaled(item, body) for item, body in pairs[3:]],
            [hashed(item, body) for item, body in pairs[:1]],
        ]
        for batch in batches:
            try:
                take(Join(cast(Any, crashing)), batch)
            except Crash:
                take(Join(cast(Any, crashing)), batch)
        assert counts(database, items[0].task_id) == (2, 2, 1, 0), f"after a crash before operation {crash_at}"
        assert database["images"].count_documents({}) == 2
        if crashing.crash_at is not None:
            return
    pytest.fail("the batches take more operations than were tried")


@pytest.mark.parametrize("order", ["hg", "gh"])
def test_an_item_whose_half_every_process_dies_of_ends_however_far_they_came(database: Database, order: str) -> None:
    """The same half kills a process at each operation; then it is given up, and so is its item, though claimed."""
    ends = []
    for crash_at in range(1, 30):
        for name in ("images", "grays", "halves"):
            database[name].delete_many({})
        (item,) = submitted(database)
        take(Join(database), [FACTS[order[0]](item)])
        try:
            take(Join(cast(Any, CrashingDatabase(database, crash_at))), [FACTS[order[1]](item)])
        except Crash:
            given_up = replace(failed(item, Reason.POISON), download=grayscaled(item, BODY).message_id)
            take(Join(database), [given_up])
            take(Join(database), [given_up])
        else:
            break
        ended = item_of(database, item)
        owners = [image["message_id"] for image in database["images"].find()]
        assert owners == ([ended["message_id"]] if ended["outcome"] == "success" else [])
        ends.append(ended["outcome"])
    assert set(ends) == {"error", "success"}
    assert ends == sorted(ends)


def test_what_is_given_up_ends_no_item_that_another_download_or_round_has_claimed(database: Database) -> None:
    (item,) = submitted(database)
    take(Join(database), [hashed(item, BODY)])
    claim = {"message_id": grayscaled(item, BODY).message_id}
    database["items"].update_one({"_id": item.item_id}, {"$set": claim})
    other = replace(failed(item, Reason.POISON), download=grayscaled(item, OTHER_BODY).message_id)
    earlier = replace(failed(replace(item, round=7), Reason.POISON), download=claim["message_id"])
    take(Join(database), [other, earlier])
    assert item_of(database, item)["outcome"] == "pending"
