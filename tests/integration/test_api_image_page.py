"""The page of an image: what it shows is what the database has; nothing of a stranger's text runs or leads astray."""

import json
import re
from datetime import timedelta
from html import unescape

from flask.testing import FlaskClient

from common.facts import HISTOGRAM
from services.api.queries.images import MOST_URLS
from tests.api_world import NOON, World
from tests.photo_world import store, variants

HTML = {"Accept": "text/html"}


def page_of(client: FlaskClient, address: str) -> str:
    answer = client.get(address, headers=HTML)
    assert (answer.status_code, answer.mimetype) == (200, "text/html"), answer.text
    return answer.text


def test_the_page_shows_both_versions_side_by_side_and_leads_to_every_form(client: FlaskClient, world: World) -> None:
    _, (md5,) = store(world, variants(1))
    html = page_of(client, f"/images/{md5}")
    for address in (f"/image/{md5}", f"/image/{md5}/original"):
        assert f'<img src="{address}" width="512" height="512"' in html
        assert f'href="{address}"' in html
    assert 'alt="gray version of astronaut-0.jpeg, 512 x 512"' in html
    assert f'href="/images/{md5}?format=json"' in html
    assert client.get(f"/images/{md5}?format=json", headers=HTML).json["md5"] == md5
    world.database["originals"].delete_one({"_id": md5})
    assert "/original" not in page_of(client, f"/images/{md5}")


def test_the_figure_is_the_stored_histogram(client: FlaskClient, world: World) -> None:
    _, (md5,) = store(world, variants(1))
    html = page_of(client, f"/images/{md5}")
    found = re.search(r'<script type="application/json" id="figure">(.*?)</script>', html)
    assert found is not None
    (bars,) = json.loads(found[1])["data"]
    counts = HISTOGRAM.unpack(world.database["images"].find_one({"_id": md5})["histogram"])
    assert bars["customdata"] == list(counts)
    assert [round(height**2) for height in bars["y"]] == list(counts)
    assert f"{sum(counts):,} pixels" in html
    assert html.count("V") > 256  # the same without a script


def test_the_statistics_are_those_of_their_own_address(client: FlaskClient, world: World) -> None:
    _, (md5,) = store(world, variants(1))
    html = page_of(client, f"/images/{md5}")
    for function, value in client.get(f"/stats/{md5}").json["statistics"].items():
        assert re.search(rf'<a href="/stats/{md5}/{function}"[^>]*>{function}</a></dt><dd>{value:.6g}</dd>', html)
    chosen = client.get(f"/stats?image={md5}&function=p99.9", headers=HTML)
    assert chosen.headers["Location"] == f"/stats/{md5}/p99.9"


def test_no_inline_script_or_style_is_in_the_page_and_its_policy_allows_none(client, world) -> None:
    _, (md5,) = store(world, variants(1))
    answer = client.get(f"/images/{md5}", headers=HTML)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'; ")
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert re.findall(r"<script(?! src=)(?! type=\"application/json\")", answer.text) == []
    assert re.findall(r"<style| style=|\son[a-z]+=", answer.text) == []
    assert len(answer.data) < 50_000
    gallery = client.get("/images", headers=HTML)
    assert "unsafe" not in gallery.headers["Content-Security-Policy"]
    assert "<script" not in gallery.text


def test_every_url_is_shown_over_pages_with_its_task_and_outcome(client: FlaskClient, world: World) -> None:
    md5 = world.image(b"one")
    urls = [f"https://host{number % 7}.example/{number}" for number in range(53)]
    tasks = [world.task(urls[:30]), world.task(urls[30:])]
    for line in range(1, 31):
        world.end(tasks[0], line, "success" if line == 1 else "duplicate", md5=md5)
    for line in range(1, 24):
        world.end(tasks[1], line, "duplicate", md5=md5)
    seen: list[str] = []
    address: str | None = f"/images/{md5}"
    pages = 0
    while address:
        html = page_of(client, address)
        seen += re.findall(r'<a class="url" href="([^"]+)" rel="noopener noreferrer nofollow">', html)
        following = re.search(r'<a rel="next" href="([^"]+)">Next URLs', html)
        address, pages = (unescape(following[1]) if following else None), pages + 1
    assert sorted(seen) == sorted(urls)
    assert pages == 3
    html = page_of(client, f"/images/{md5}")
    assert f'href="/url_tasks/{tasks[0]}"' in html
    assert "duplicate</td>" in html


def test_the_json_leads_on_to_more_urls_than_one_answer_holds(client: FlaskClient, world: World) -> None:
    md5, task_id = world.image(b"one"), world.task([f"https://a.example/{n}" for n in range(MOST_URLS + 5)])
    ended = {"outcome": "duplicate", "md5": md5, "finished_at": NOON}
    world.database["items"].update_many({"task_id": task_id}, {"$set": ended})
    first = client.get(f"/images/{md5}")
    rest = client.get(first.json["urls_next"]).json
    assert first.headers["Link"] == f'<{first.json["urls_next"]}>; rel="next"'
    assert (len(first.json["urls"]), len(rest["urls"]), rest["urls_next"], rest["urls_more"]) == (
        MOST_URLS,
        5,
        None,
        False,
    )
    assert len({url["item"] for url in first.json["urls"] + rest["urls"]}) == MOST_URLS + 5
    unknown = client.get(f"/images/{md5}?cursor=00000000-0000-4000-8000-000000000000").json
    assert unknown["urls"] == []


def test_a_url_that_is_no_web_address_is_no_link(client: FlaskClient, world: World) -> None:
    md5, bad = world.image(b"one"), "javascript:alert('<b>')"
    world.end(world.task([bad]), 1, "success", md5=md5)
    html = page_of(client, f"/images/{md5}")
    assert 'href="javascript' not in html
    assert "javascript:alert(&#39;&lt;b&gt;&#39;)" in html


def test_near_duplicates_are_shown_within_the_chosen_distance(client: FlaskClient, world: World) -> None:
    _, md5s = store(world, variants(8))
    listed = client.get(f"/image/{md5s[0]}/similar?distance=11").json["images"]
    assert listed
    html = page_of(client, f"/images/{md5s[0]}?distance=11")
    shown = re.findall(r'<li><a href="/images/([0-9a-f]{32})"', html.replace("\n", ""))
    assert shown == [near["md5"] for near in listed]
    assert "<option selected>11</option>" in html
    gone = {"$set": {"removed_at": NOON}}
    world.database["images"].update_one({"_id": listed[0]["md5"]}, gone)
    world.database["items"].update_one({"md5": listed[0]["md5"]}, {"$unset": {"md5": ""}})
    assert (
        f'href="/images/{listed[0]["md5"]}"'
        not in page_of(client, f"/images/{md5s[0]}?distance=11&limit=3").split("near")[1]
    )
    assert "no perceptual hash" in page_of(client, f"/images/{world.image(b'flat', at=NOON - timedelta(days=1))}")


def test_the_neighbours_lead_through_all_images_and_back(client: FlaskClient, world: World) -> None:
    """Some were stored at the same moment, and one of them was removed."""
    stored = [world.image(b"%d" % n, at=NOON + timedelta(milliseconds=n // 3)) for n in range(10)]
    world.database["images"].update_one({"_id": stored[4]}, {"$set": {"removed_at": NOON}})
    listed = [image["md5"] for image in client.get("/images").json["images"]]
    assert set(listed) == set(stored) - {stored[4]}
    for relation, order in (("next", listed), ("prev", listed[::-1])):
        walked, md5 = [], order[0]
        while md5:
            walked.append(md5)
            found = re.search(rf'rel="{relation}" href="/images/([0-9a-f]{{32}})"', page_of(client, f"/images/{md5}"))
            md5 = found[1] if found else ""
        assert walked == order


def test_what_is_not_stored_has_no_page(client: FlaskClient) -> None:
    answer = client.get(f"/images/{'0' * 32}", headers=HTML)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert client.get(f"/images/{'0' * 32}?distance=99").status_code == 422
