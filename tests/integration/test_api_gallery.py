"""The gallery over HTTP: every filter gives what comparing all would, each image comes once, little is looked at."""

import hashlib
import io
import random
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from bson import Binary
from flask.testing import FlaskClient
from PIL import Image

from common.database import Database, Document
from common.items import item_id
from services.api.queries.gallery import Wanted, gallery
from services.api.queries.newest import Position
from services.api.queries.scope import Scope
from services.api.thumbnails import EDGE, make_thumbnail, thumbnail_size
from tests.api_world import NOON, World

SEED = 20240531
IMAGES = 150
HOSTS = [f"host{number}.example" for number in range(4)]
FORMATS = ("PNG", "JPEG", "GIF")
HTML = {"Accept": "text/html"}
ATTACK = 'https://a.example/"><script>document.title="run"</script><img src=x onerror=run>.png'


@dataclass
class Stock:
    """Images and the items that gave them, also as they are kept here to compare all of them."""

    database: Database
    tasks: list[UUID] = field(default_factory=list)
    images: dict[str, Document] = field(default_factory=dict)
    items: list[Document] = field(default_factory=list)

    def fill(self, chance: random.Random) -> None:
        """Store images within five days, most found several times, some of them removed."""
        self.tasks = [uuid4() for _ in range(3)]
        for number in range(IMAGES):
            md5 = hashlib.md5(str(number).encode()).hexdigest()
            size = {"width": chance.randrange(1, 9), "height": chance.randrange(1, 9)}
            at = NOON + timedelta(hours=chance.randrange(120))
            sizes = {"length_bytes": 9, "gray_bytes": 9, "mode": "RGB", "orientation": 1}
            self.images[md5] = {"_id": md5, **size, **sizes, "format": chance.choice(FORMATS), "inserted_at": at}
            for _ in range(chance.randrange(5)):
                self._item(md5, at + timedelta(seconds=chance.randrange(4) * 3_600), chance)
            found = any(item.get("md5") == md5 for item in self.items)
            if not found or number % 10 == 0:
                self.images[md5]["removed_at"] = NOON
        for _ in range(60):
            self._item(None, NOON + timedelta(hours=chance.randrange(120)), chance)
        self.database["tasks"].insert_many(
            {"_id": task, "kind": "url", "name": None, "refresh": False, "created_at": NOON, "total": 0}
            for task in self.tasks
        )
        self.database["images"].insert_many(self.images.values())
        self.database["items"].insert_many(self.items)

    def _item(self, md5: str | None, at: datetime, chance: random.Random) -> None:
        line, task, host = len(self.items) + 1, chance.choice(self.tasks), chance.choice(HOSTS)
        end: Document = {"outcome": "error"} if md5 is None else {"outcome": "duplicate", "md5": md5}
        ids = {"_id": item_id(task, line), "task_id": task, "line": line, "round": 0}
        self.items.append({**ids, "host": host, "url": f"https://{host}/{line}", "finished_at": at, **end})

    def matching(self, **asked: Any) -> set[str]:
        """Compare all."""
        return {md5 for md5, image in self.images.items() if self._is_found(md5, asked) and _matches(image, asked)}

    def _is_found(self, md5: str, asked: dict[str, Any]) -> bool:
        if "task" not in asked and "host" not in asked:
            return "removed_at" not in self.images[md5] or any(item.get("md5") == md5 for item in self.items)
        return any(
            item.get("md5") == md5
            and asked.get("task", item["task_id"]) == item["task_id"]
            and asked.get("host", item["host"]) == item["host"]
            for item in self.items
        )


def _matches(image: Document, asked: dict[str, Any]) -> bool:
    day = image["inserted_at"].date()
    return (
        asked.get("min_width", 1) <= image["width"] <= asked.get("max_width", 99)
        and asked.get("min_height", 1) <= image["height"] <= asked.get("max_height", 99)
        and asked.get("format_is", image["format"]) == image["format"]
        and asked.get("since", day) <= day <= asked.get("until", day)
    )


@pytest.fixture
def stock(database: Database) -> Stock:
    stock = Stock(database)
    stock.fill(random.Random(SEED))
    return stock


def some_filter(stock: Stock, chance: random.Random) -> dict[str, Any]:
    """Choose some filters, none, or all."""
    possible = {
        "task": chance.choice(stock.tasks),
        "host": chance.choice(HOSTS),
        "min_width": chance.randrange(1, 6),
        "max_width": chance.randrange(4, 9),
        "min_height": chance.randrange(1, 6),
        "max_height": chance.randrange(4, 9),
        "format_is": chance.choice(FORMATS),
        "since": date(2024, 5, chance.randrange(28, 32)),
        "until": date(2024, 6, chance.randrange(1, 6)),
    }
    share = chance.random()
    return {name: value for name, value in possible.items() if chance.random() < share}


def walked(client: FlaskClient, address: str) -> list[list[dict[str, Any]]]:
    """Follow `next` to the end."""
    pages: list[list[dict[str, Any]]] = []
    following: str | None = address
    while following:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json["images"])
        following = answer.json["next"]
    return pages


def test_every_filter_gives_what_comparing_all_gives_and_each_image_once(client: FlaskClient, stock: Stock) -> None:
    chance = random.Random(SEED)
    sizes = set()
    for _ in range(60):
        asked, limit = some_filter(stock, chance), chance.choice((5, 20, 50))
        arguments = "&".join(f"{name}={value}" for name, value in {**asked, "limit": limit}.items())
        pages = walked(client, f"/images?{arguments}")
        found = [image["md5"] for page in pages for image in page]
        assert len(found) == len(set(found)), asked
        assert set(found) == stock.matching(**asked), asked
        if "task" not in asked and "host" not in asked:
            order = [(stock.images[md5]["inserted_at"], md5) for md5 in found]
            assert order == sorted(order, reverse=True)
        sizes.add(len(found))
    assert len(sizes) > 10


@pytest.mark.parametrize("looked_at", [1, 3, 10])
def test_pages_that_end_before_they_are_full_go_on_where_they_ended(stock: Stock, looked_at: int) -> None:
    """Cut off after few entries, a walk leaves none out and shows none twice, of several at the same moment too."""
    chance = random.Random(SEED)
    for _ in range(6):
        asked = some_filter(stock, chance)
        days = {name: asked.get(name) for name in ("since", "until")}
        wanted = Wanted(
            scope=Scope(asked.get("task"), asked.get("host")),
            **{name: value for name, value in asked.items() if name.startswith(("min", "max"))},
            format=asked.get("format_is"),
            since=days["since"] and datetime.combine(days["since"], datetime.min.time(), UTC),
            until=days["until"] and datetime.combine(days["until"], datetime.max.time(), UTC),
        )
        found: list[str] = []
        position: Position | None = None
        while True:
            page = gallery(stock.database, wanted, 4, position, looked_at=looked_at)
            found += [image.md5 for image in page.entries]
            if page.next is None:
                break
            assert page.next != position
            position = page.next
        assert len(found) == len(set(found)), asked
        assert set(found) == stock.matching(**asked), asked


def test_a_page_looks_at_a_bounded_number_whatever_is_asked(database: Database, stock: Stock) -> None:
    """Nothing matches, so nothing but the bound ends the walk."""
    task = stock.tasks[0]
    one_kind = {**stock.items[0], "task_id": task, "host": HOSTS[0], "outcome": "duplicate"}
    database["items"].insert_many(
        {**one_kind, "_id": item_id(task, 1_000 + n), "finished_at": NOON + timedelta(seconds=n), "md5": f"{n:032x}"}
        for n in range(3_000)
    )
    image = {**next(iter(stock.images.values()))}
    database["images"].insert_many(
        {**image, "_id": f"{n:032x}", "inserted_at": NOON + timedelta(seconds=n)} for n in range(3_000)
    )
    for scope in (Scope(), Scope(task), Scope(None, HOSTS[0]), Scope(task, HOSTS[0])):
        database.command("profile", 2)
        page = gallery(database, Wanted(scope=scope, format="TIFF"), 50, None, looked_at=100)
        database.command("profile", 0)
        looked = list(
            database["system.profile"].find({"ns": {"$in": [f"{database.name}.{n}" for n in ("images", "items")]}})
        )
        database.drop_collection("system.profile")
        assert page.entries == ()
        assert page.next is not None
        assert looked
        assert sum(entry.get("docsExamined", 0) for entry in looked) <= 250
        assert sum(entry.get("keysExamined", 0) for entry in looked) <= 1_000


def test_an_image_found_a_thousand_times_at_a_host_is_shown_once_without_reading_them(client, world: World) -> None:
    md5, task_id = world.image(b"pixel"), world.task([f"https://one.example/{n}" for n in range(1_000)])
    ended = {"outcome": "duplicate", "md5": md5, "finished_at": NOON}
    world.database["items"].update_many({"task_id": task_id}, {"$set": ended})
    for asked in ("host=one.example", f"task={task_id}", f"task={task_id}&host=one.example"):
        found = [image["md5"] for page in walked(client, f"/images?{asked}") for image in page]
        assert found == [md5]


def test_a_host_is_asked_for_as_people_write_it(client: FlaskClient, stock: Stock) -> None:
    expected = walked(client, f"/images?host={HOSTS[0]}")
    assert expected != [[]]
    assert walked(client, f"/images?host=%20{HOSTS[0].upper()}") == expected


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        ("min_width=0", 422, "min_width must be a whole number from 1 to 1,000,000"),
        ("format_is=SVG", 422, "format_is must be one of PNG, JPEG"),
        ("since=yesterday", 422, "since must be a day such as 2024-05-31"),
        ("until=2024-02-30", 422, "until must be a day such as 2024-05-31"),
        (f"task={UUID(int=7)}", 404, "There is no task"),
        ("task=x", 422, "task must be an id"),
        ("cursor=x", 422, "cursor must be one that an earlier answer gave"),
    ],
)
def test_what_cannot_be_asked_is_refused(client: FlaskClient, arguments: str, status: int, sentence: str) -> None:
    answer = client.get(f"/images?{arguments}")
    assert (answer.status_code, sentence in answer.json["detail"]) == (status, True)


def test_the_page_shows_what_the_list_does_and_keeps_what_was_asked(client: FlaskClient, stock: Stock) -> None:
    asked = f"host={HOSTS[1]}&min_width=2&limit=5"
    listed = client.get(f"/images?{asked}").json
    page = client.get(f"/images?{asked}", headers=HTML)
    assert re.findall(r'href="/images/([0-9a-f]{32})"', page.text) == [image["md5"] for image in listed["images"]]
    assert f'rel="next" href="{listed["next"]}"' in unescape(page.text)
    assert page.vary.find("accept") >= 0
    further = client.get(listed["next"], headers=HTML).text
    for html in (page.text, further):
        assert f'name="host" value="{HOSTS[1]}"' in html
        assert 'name="min_width" value="2"' in html
        assert "<details" in html
        assert "open>" in html
    assert f'href="/images?host={HOSTS[1]}&amp;min_width=2"' in further


def test_gallery_leads_to_the_images_as_a_page(client: FlaskClient) -> None:
    assert client.get("/gallery?host=a.example", headers=HTML).headers["Location"] == "/images?host=a.example"
    answer = client.get("/gallery", follow_redirects=True)
    assert answer.mimetype == "text/html"


def test_an_empty_gallery_says_what_to_do_next(client: FlaskClient, world: World) -> None:
    assert "No image is stored yet" in client.get("/images", headers=HTML).text
    world.image(b"one")
    assert "Show all images" in client.get("/images?format_is=GIF", headers=HTML).text


def test_a_strangers_file_name_is_text(client: FlaskClient, world: World) -> None:
    md5 = world.image(b"one")
    world.database["images"].update_one({"_id": md5}, {"$set": {"url": ATTACK}})
    for path in ("/images", f"/images/{md5}"):
        html = client.get(path, headers=HTML).text
        assert "<script>document" not in html
        assert "<img src=x" not in html
    assert (
        'alt="gray version of script&gt;&lt;img src=x onerror=run&gt;.png, 3 x 2"'
        in client.get("/images", headers=HTML).text
    )


def test_a_removed_image_is_left_out_until_an_item_has_it(client: FlaskClient, world: World) -> None:
    md5 = world.image(b"one")
    thumbnail = client.get(f"/image/{md5}/thumbnail")
    for name in ("images", "grays", "originals"):
        world.database[name].update_one({"_id": md5}, {"$set": {"removed_at": NOON}})
    assert walked(client, "/images") == [[]]
    again = {"If-None-Match": thumbnail.headers["ETag"]}
    for path in (f"/images/{md5}", f"/image/{md5}/thumbnail"):
        assert client.get(path, headers=again).status_code == 404
    world.end(world.task(["https://a.example/1"]), 1, "duplicate", md5=md5)
    assert [image["md5"] for page in walked(client, "/images") for image in page] == [md5]
    assert client.get(f"/image/{md5}/thumbnail").status_code == 200


def test_a_random_image_is_a_page_to_who_prefers_html(client: FlaskClient, world: World) -> None:
    md5 = world.image(b"one")
    assert client.get("/randomimage", headers=HTML).headers["Location"] == f"/images/{md5}"
    assert (
        client.get("/randomimage", headers={"Accept": "image/avif,image/*,*/*"}).headers["Location"] == f"/image/{md5}"
    )


def large(world: World, width: int, height: int) -> str:
    """Store an image whose gray version is a gradient of this size."""
    md5, png = world.image(f"{width} {height}".encode()), io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(png, "PNG")
    world.database["images"].update_one({"_id": md5}, {"$set": {"width": width, "height": height}})
    world.database["grays"].update_one({"_id": md5}, {"$set": {"png": Binary(png.getvalue())}})
    return md5


@pytest.mark.parametrize(("width", "height"), [(1_000, 600), (601, 4_000), (5_000, 1), (240, 240), (3, 2)])
def test_a_thumbnail_is_as_large_as_the_page_says(client: FlaskClient, world: World, width: int, height: int) -> None:
    md5 = large(world, width, height)
    answer = client.get(f"/image/{md5}/thumbnail")
    assert answer.mimetype == "image/webp"
    with Image.open(io.BytesIO(answer.data)) as thumbnail:
        assert thumbnail.size == thumbnail_size(width, height)
        assert max(thumbnail.size) == min(EDGE, max(width, height))
        shown = 'width="{}" height="{}" loading="lazy"'.format(*thumbnail.size)
    assert shown in client.get("/images", headers=HTML).text


def test_a_thumbnail_looks_like_its_image() -> None:
    gradient, png = Image.linear_gradient("L").resize((2_000, 1_000)), io.BytesIO()
    gradient.save(png, "PNG")
    with Image.open(io.BytesIO(make_thumbnail(png.getvalue()))) as image:
        for line in range(0, 120, 10):
            level = image.convert("L").getpixel((100, line))
            assert abs(level - gradient.getpixel((833, line * 1_000 // 120 + 4))) < 8


def test_a_thumbnail_is_made_once_and_may_be_kept_for_ever(client: FlaskClient, world: World) -> None:
    md5 = large(world, 800, 600)
    first = client.get(f"/image/{md5}/thumbnail")
    assert "immutable" in first.headers["Cache-Control"]
    assert first.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert world.database["thumbnails"].find_one({"_id": md5})["webp"] == first.data
    world.database["thumbnails"].update_one({"_id": md5}, {"$set": {"webp": Binary(b"kept")}})
    assert client.get(f"/image/{md5}/thumbnail").data == b"kept"
    unchanged = client.get(f"/image/{md5}/thumbnail", headers={"If-None-Match": first.headers["ETag"]})
    assert (unchanged.status_code, unchanged.data) == (304, b"")


def test_there_is_no_thumbnail_of_what_is_not_stored(client: FlaskClient) -> None:
    for tag in ("*", f'"{"0" * 32}-thumbnail"'):
        assert client.get(f"/image/{'0' * 32}/thumbnail", headers={"If-None-Match": tag}).status_code == 404
    assert client.get("/image/x/thumbnail").status_code == 404
