"""Items that gave an image are found by the file name in their URL, however they came to it."""

import pytest

from common.database import Database
from services.aggregator.join import Join
from tests.join_world import item_of, take
from tests.some_facts import failed, grayscaled, hashed, known, md5_of, new_item

URL = "https://images.example/photos%2Fcaf%C3%A9%201.png?size=large"
NAME = "café 1.png"
BODY = b"\x40 an image's bytes"


@pytest.fixture
def join(database: Database) -> Join:
    return Join(database)


def written(database: Database, url: str = URL):
    item = new_item(url=url)
    document = {"_id": item.item_id, "task_id": item.task_id, "line": 1, "url": url, "round": 0, "outcome": "pending"}
    database["items"].insert_one(document)
    return item


def test_success_and_both_kinds_of_duplicate_are_named(join: Join, database: Database) -> None:
    first, same, same_url = (written(database) for _ in range(3))
    for item in (first, same):
        take(join, [hashed(item, BODY)])
        take(join, [grayscaled(item, BODY)])
    take(join, [known(same_url, md5_of(BODY))])
    ended = [item_of(database, item) for item in (first, same, same_url)]
    assert [end["outcome"] for end in ended] == ["success", "duplicate", "duplicate"]
    assert {(end["file_name"], end["md5"]) for end in ended} == {(NAME, md5_of(BODY))}


def test_what_gave_no_image_and_what_has_no_name_is_not_named(join: Join, database: Database) -> None:
    broken, nameless = written(database), written(database, "https://images.example/")
    take(join, [failed(broken)])
    take(join, [known(nameless, md5_of(BODY))])
    ended = [item_of(database, item) for item in (broken, nameless)]
    assert [end["outcome"] for end in ended] == ["error", "duplicate"]
    assert not any("file_name" in end for end in ended)


def test_the_latest_of_a_name_is_read_from_an_index(database: Database) -> None:
    query = database["items"].find({"file_name": NAME}).sort("finished_at", -1).limit(1)
    plan = str(query.explain()["queryPlanner"]["winningPlan"])
    assert "file_name_1_finished_at_-1" in plan
    assert "SORT" not in plan
