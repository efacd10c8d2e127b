"""Web pages through all services: handed in over HTTP or from a shell, followed, taken out, interrupted, deleted."""

import base64
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from common.broker import parameters
from common.database import Database
from common.publisher import Publisher
from common.settings import Settings
from common.topology import Topology
from samples.site import Site
from samples.site import serving as serving_samples
from services.api.app import create_app
from tests.accounts import check_pixels
from tests.api_world import KEY, with_key
from tests.fleet import Process, eventually, fleet
from tests.web_pages import GATE_SECONDS, Web, serving

WORKERS = {"scraper": 1, "fetcher": 1, "hasher": 1, "grayscaler": 1, "aggregator": 1}
MOST_IMAGES = 1_000


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving_samples("127.0.0.2", 0) as site:
        yield site


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as web:
        yield web


@pytest.fixture
def overlay(environment: dict[str, str]) -> dict[str, str]:
    limits = {
        "FETCH_ALLOW_NETS": "127.0.0.2/32",
        "PAGE_MAX_IMAGES": str(MOST_IMAGES),
        "IDLE_TIMEOUT_SECONDS": str(GATE_SECONDS),
    }
    return {**environment, **limits, "WEBHOOK_SECRET": "known to the receiver"}


@pytest.fixture
def workers(overlay: dict[str, str], topology: Topology, tmp_path: Path) -> Iterator[dict[str, Process]]:
    with fleet(WORKERS, overlay, tmp_path) as processes:
        yield {process.service: process for process in processes}


@pytest.fixture
def api(overlay: dict[str, str], database: Database, topology: Topology) -> Iterator[FlaskClient]:
    settings = Settings.from_environ({**overlay, "API_KEYS": KEY})
    publisher = Publisher("tests", parameters(settings, "tests"), topology)
    eventually(lambda: publisher.ready)
    yield with_key(create_app(settings, database, publisher))
    publisher.close()


def ended(api: FlaskClient, address: str, *, deadline_seconds: float = 120.0) -> dict[str, Any]:
    """Wait for the task's end; gives the task."""

    def is_done() -> bool:
        return api.get(address).json["finished_at"] is not None

    eventually(is_done, deadline_seconds=deadline_seconds, what=f"{address} ends: {api.get(address).text}")
    return dict(api.get(address).json)


def run(api: FlaskClient, kind: str, url: str, **more: Any) -> dict[str, Any]:
    """Hand a page in and wait for its end."""
    answer = api.post(f"/{kind}_tasks", json={"url": url, **more})
    assert answer.status_code in (200, 201), answer.text
    return ended(api, f"/{kind}_tasks/{answer.json['id']}")


def images_of(api: FlaskClient, task: dict[str, Any]) -> list[dict[str, Any]]:
    found, address = [], task["links"]["images"]
    while address:
        answer = api.get(address).json
        found += answer["images"]
        address = answer["next"]
    return found


def png_of(side: int) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((side, side)).save(file, "PNG")
    return file.getvalue()


def pixels_of(body: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(body)) as image:
        return np.asarray(image.convert("RGB")).astype(np.int64)


def archive_of(api: FlaskClient, task: dict[str, Any], variant: str) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(api.get(f"{task['links']['archive']}?variant={variant}").data))
    assert archive.testzip() is None
    return archive


def test_a_page_of_forty_images_of_which_some_cannot_be_had(
    workers: dict[str, Process], api: FlaskClient, database: Database, site: Site
) -> None:
    task = run(api, "images", f"{site.base_url}/gallery")
    assert task["status"] == "partial"
    assert [task[name] for name in ("total", "success", "duplicate", "error", "pending")] == [40, 37, 1, 2, 0]
    assert (task["page"]["title"], task["page"]["language"]) == ("A gallery", "en")
    images = images_of(api, task)
    assert len(images) == 40
    assert len({image["md5"] for image in images if image["md5"]}) == 37
    why = {image["url"].removeprefix(site.base_url): (image["reason"], image["status"]) for image in images}
    assert {path: reason for path, reason in why.items() if reason[0]} == {
        "/error/gallery": ("http_4xx", 404),
        "/html.jpg": ("not_an_image", None),
    }
    twins = {image["outcome"]: image for image in images if "/same/" in image["url"]}
    assert set(twins) == {"success", "duplicate"}
    assert twins["success"]["md5"] == twins["duplicate"]["md5"]
    check_pixels(database)

    both = archive_of(api, task, "both")
    originals = {name for name in both.namelist() if name.startswith("images/")}
    assert len(originals) == 37
    manifest = [json.loads(line) for line in both.read("manifest.jsonl").splitlines()]
    assert [(line["line"], line["url"], line["outcome"], line["reason"], line["md5"]) for line in manifest] == [
        (image["line"], image["url"], image["outcome"], image["reason"], image["md5"]) for image in images
    ]
    assert {line["file"] for line in manifest if line["file"]} == originals
    gray = archive_of(api, task, "gray")
    assert set(gray.namelist()) == {name for name in both.namelist() if not name.startswith("images/")}
    for line in manifest:
        if line["file"]:
            exact = pixels_of(both.read(line["file"])).sum(axis=2) // 3
            assert np.array_equal(pixels_of(gray.read(line["gray_file"]))[..., 0], exact)
    image = api.get(next(image for image in images if image["md5"])["links"]["original"])
    assert (image.mimetype, image.data) == ("image/jpeg", both.read(f"images/{image.headers['ETag'][1:-1]}.jpg"))


def test_what_else_pages_can_be(
    workers: dict[str, Process], api: FlaskClient, database: Database, site: Site, web: Web
) -> None:
    small = base64.b64encode(png_of(8)).decode()
    page = web.html(
        "/deep/page",
        f'<title>Odd</title><base href="/pictures/"><img src="a.png"><img src="data:image/png;base64,{small}">'
        '<img src="data:,nothing"><img src="http://[broken"><img src="missing.png">',
    )
    web.pages["/pictures/a.png"] = ("image/png", png_of(9))
    task = run(api, "images", f"{site.base_url}/redirect-to?url={page}")
    assert (task["status"], task["page"]["final_url"]) == ("partial", page)
    a, inline, empty, broken, missing = images_of(api, task)
    assert (a["url"], a["outcome"], a["width"]) == (f"{web.base_url}/pictures/a.png", "success", 9)
    assert (inline["outcome"], inline["width"], inline["url"][:22]) == ("success", 8, "data:image/png;base64,")
    assert (empty["outcome"], broken["reason"]) == ("error", "invalid_url")
    assert (missing["reason"], missing["status"]) == ("http_4xx", 404)

    web.pages["/pictures/missing.png"] = ("image/png", png_of(10))
    assert api.post(f"{task['links']['self']}/retry").json["status"] == "in progress"
    task = ended(api, task["links"]["self"])
    assert (task["success"], task["error"]) == (3, 2)
    assert images_of(api, task)[4]["width"] == 10

    no_page = run(api, "images", f"{site.base_url}/40/30")
    assert (no_page["status"], no_page["page"]["reason"], no_page["total"]) == ("error", "not_html", 0)
    gone = run(api, "images", f"{web.base_url}/later")
    assert (gone["status"], gone["page"]["reason"], gone["page"]["status"]) == ("error", "http_4xx", 404)
    web.html("/later", '<img src="/pictures/a.png">')
    again = run(api, "images", f"{web.base_url}/later")
    assert (again["id"], again["status"], again["duplicate"]) == (gone["id"], "success", 1)

    def hand_in(_number: int) -> Any:
        return with_key(api.application).post("/images_tasks", json={"url": page})

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(hand_in, range(4)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 3}
    assert len({answer.json["id"] for answer in answers}) == 1
    first = ended(api, f"/images_tasks/{answers[0].json['id']}")
    asked = web.asked.count("/pictures/a.png")
    assert run(api, "images", page)["id"] == first["id"]
    assert run(api, "images", page, refresh=True)["id"] != first["id"]
    assert web.asked.count("/pictures/a.png") == asked + 1
    assert database["images"].count_documents({}) == 3


def test_the_text_of_a_page(workers: dict[str, Process], api: FlaskClient, site: Site) -> None:
    task = run(api, "text", f"{site.base_url}/gallery")
    assert (task["status"], task["page"]["description"]) == ("success", "Pictures to be found.")
    assert task["page"]["canonical_url"] == f"{site.base_url}/gallery"
    whole, main = api.get(task["links"]["text"]).text, api.get(task["links"]["main_text"]).text
    for text in (whole, main):
        assert "Its pictures are found, fetched and stored" in text
    assert "Small print." in whole
    assert "Small print." not in main
    failed = run(api, "text", f"{site.base_url}/error/1")
    assert (failed["status"], failed["page"]["status"]) == ("error", 404)


@pytest.mark.parametrize("victim", ["scraper", "fetcher"])
def test_a_service_that_is_killed_in_the_middle_of_a_page_loses_no_image_and_doubles_none(
    workers: dict[str, Process], api: FlaskClient, database: Database, site: Site, victim: str
) -> None:
    items = database["items"]
    if victim == "scraper":
        workers["aggregator"].freeze()  # so that the page cannot end
    task_id = api.post("/images_tasks", json={"url": f"{site.base_url}/gallery/{MOST_IMAGES}"}).json["id"]
    address = f"/images_tasks/{task_id}"
    if victim == "scraper":
        eventually(lambda: items.count_documents({}) > 1, what="the images are being told of")
    else:
        eventually(lambda: items.count_documents({"md5": {"$exists": True}}) > MOST_IMAGES // 10)
    workers[victim].kill()
    pending = items.count_documents({"outcome": "pending", "line": 0 if victim == "scraper" else {"$gt": 0}})
    workers["aggregator"].thaw()
    workers[victim].restart()
    assert pending > 0, "it was over before the kill"
    task = ended(api, address, deadline_seconds=200)
    own = MOST_IMAGES // 10
    assert task["status"] == "success"
    assert [task[name] for name in ("total", "success", "duplicate")] == [MOST_IMAGES, own + 1, MOST_IMAGES - own - 1]
    lines = [item["line"] for item in items.find({}, {"line": 1}).sort("_id")]
    assert lines == list(range(MOST_IMAGES + 1))
    assert database["images"].count_documents({}) == own + 1
    assert database["tasks"].find_one()["total"] == MOST_IMAGES + 1


def test_a_task_deleted_midway_leaves_what_another_has_and_nothing_else(
    workers: dict[str, Process], api: FlaskClient, database: Database, site: Site, web: Web
) -> None:
    fast = [f"{site.base_url}/{side}/20" for side in range(20, 26)]
    gate = threading.Event()
    slow = [f"{web.base_url}/{side}.png" for side in range(30, 34)]
    for side in range(30, 34):
        web.pages[f"/{side}.png"] = ("image/png", png_of(side))
        web.gates[f"/{side}.png"] = gate
    shared = run(api, "images", web.html("/shared", f'<img src="{fast[0]}">'))
    page = web.html("/page", "".join(f'<img src="{url}">' for url in fast + slow))
    address = f"/images_tasks/{api.post('/images_tasks', json={'url': page}).json['id']}"
    eventually(lambda: api.get(address).json["success"] == 5, what="what is fast is there")
    before = {image["url"]: image["md5"] for image in images_of(api, api.get(address).json)}
    assert api.delete(address).status_code == 204
    gate.set()

    assert api.get(address).status_code == 404
    for url in fast:
        assert api.get(f"/image/{before[url]}").status_code == (200 if url == fast[0] else 404)
    assert api.get(f"{shared['links']['images']}/{before[fast[0]]}").status_code == 200
    originals = database["originals"]
    eventually(lambda: originals.count_documents({}) == len(fast + slow), what="what is slow has come, too late")
    again = run(api, "images", web.html("/again", f'<img src="{slow[0]}">'))
    assert again["success"] == 1, "what was cancelled was not stored"
    ends = {item["url"]: item.get("reason") for item in database["items"].find({"reason": {"$exists": True}})}
    assert ends == dict.fromkeys(slow, "cancelled")
    assert database["images"].count_documents({"removed_at": {"$exists": False}}) == 2


def test_pages_from_the_shell(
    workers: dict[str, Process], overlay: dict[str, str], api: FlaskClient, site: Site, web: Web
) -> None:
    def fetcher(*arguments: str) -> list[dict[str, Any]]:
        command = [str(Path(sys.executable).parent / "fetcher"), *arguments, "--wait", "--json"]
        done = subprocess.run(
            command, env={**os.environ, **overlay}, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    page = web.html("/page", '<p>Words</p><img src="/missing.png">')
    images, text = fetcher("publish", "--page", page, "--name", "a page")
    assert (images["kind"], images["status"], images["total"], images["error"]) == ("images", "partial", 1, 1)
    assert (text["kind"], text["status"], text["there_already"], text["page_error"]) == ("text", "success", False, None)
    assert api.get(f"/text_tasks/{text['task']}/text").text.strip() == "Words"
    web.pages["/missing.png"] = ("image/png", png_of(9))
    [retried] = fetcher("retry", images["task"], "--reason", "http_4xx")
    assert (retried["task"], retried["status"], retried["success"]) == (images["task"], "success", 1)
    [again, other] = fetcher("publish", "--page", page, "--page", f"{web.base_url}/none", "--images")
    assert (again["task"], again["there_already"]) == (images["task"], True)
    assert (other["status"], other["page_error"]["status"]) == ("error", 404)


def test_who_asked_for_it_is_told_of_the_end_until_it_is_taken(
    api: FlaskClient, workers: dict[str, Process], web: Web
) -> None:
    web.statuses = [503]
    page = web.html("/page", "<p>No image of it is there.<img src=gone.png>")
    task = run(api, "images", page, webhook=f"{web.base_url}/hook")
    address = f"/images_tasks/{task['id']}"
    eventually(lambda: api.get(address).json["webhook"]["told_at"], what="the receiver took it")
    assert api.get(address).json["webhook"] == {
        "url": f"{web.base_url}/hook",
        "told_at": api.get(address).json["webhook"]["told_at"],
        "attempts": 2,
        "error": None,
    }
    [(first, _), (second, body)] = web.posted
    assert first["webhook-id"] == second["webhook-id"]
    assert json.loads(body)["data"]["status"] == "partial"
