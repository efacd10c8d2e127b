"""Statistics over HTTP: exact, for machines, people and shells; by MD5 and by file name."""

import io
from datetime import timedelta
from urllib.parse import quote

import numpy as np
import pytest
from bson import Binary
from PIL import Image

from common.facts import HISTOGRAM
from common.file_names import MOST_CHARACTERS, file_name
from services.api.queries.statistics import LOOKED_AT
from services.grayscaler import png
from tests.api_world import NOON

PIXELS = np.random.default_rng(5).integers(0, 256, (60, 80), np.uint8) // 3
SITE = "https://images.example"
HOSTILE = "<script>alert(1)<script>'\"&{{7*7}}.png"
TEXT = {"Accept": "text/plain"}
PAGE = {"Accept": "text/html"}


def measured(world, body=b"one", pixels=PIXELS):
    """Store an image with this gray version."""
    md5 = world.image(body)
    counts = np.bincount(pixels.ravel(), minlength=256).tolist()
    world.database["images"].update_one({"_id": md5}, {"$set": {"histogram": Binary(HISTOGRAM.pack(*counts))}})
    world.database["grays"].update_one({"_id": md5}, {"$set": {"png": Binary(png.encode(pixels))}})
    return md5


def found_at(world, url, md5, *, at=NOON):
    """Have an item give the image."""
    name = file_name(url)
    world.end(world.task([url]), 1, "success", at=at, md5=md5, **({"file_name": name} if name else {}))


@pytest.mark.parametrize("q", ["0", "1", "25", "33.333333", "50", "99.9", "100"])
def test_a_percentile_is_numpy_s_of_the_stored_gray_pixels_in_every_form(client, world, q):
    md5 = measured(world)
    gray = np.asarray(Image.open(io.BytesIO(client.get(f"/image/{md5}").data)))
    expected = np.percentile(gray, float(q))
    address = f"/stats/{md5}/p{q}"
    answer = client.get(address)
    assert answer.json["value"] == expected
    assert (answer.json["md5"], answer.json["function"], answer.json["pixels"]) == (md5, f"p{q}", gray.size)
    assert client.get(address, headers=TEXT).text == f"{float(expected)!r}\n"
    assert f"<strong>{float(expected)!r}</strong>" in client.get(address, headers=PAGE).text


def test_everything_at_once_is_what_each_function_says(client, world):
    md5 = measured(world)
    statistics = client.get(f"/stats/{md5}").json["statistics"]
    assert {name: statistics[name] for name in ("min", "max", "mean", "median")} == {
        "min": PIXELS.min(),
        "max": PIXELS.max(),
        "mean": PIXELS.mean(),
        "median": np.median(PIXELS),
    }
    assert statistics["std"] == pytest.approx(PIXELS.std())
    for name, value in statistics.items():
        assert client.get(f"/stats/{md5}/{name}").json["value"] == value
    lines = client.get(f"/stats/{md5}", headers=TEXT).text.splitlines()
    assert lines == [f"{name} {value}" for name, value in statistics.items()]


def test_no_pixel_is_read(client, world):
    md5 = measured(world)
    world.database.drop_collection("grays")
    world.database.drop_collection("originals")
    assert client.get(f"/stats/{md5}/mean").status_code == 200


@pytest.mark.parametrize(
    ("headers", "media_type"),
    [
        ({}, "application/json"),
        ({"Accept": "*/*"}, "application/json"),
        ({"Accept": "application/json"}, "application/json"),
        ({"Accept": "text/plain, */*;q=0.1"}, "text/plain; charset=utf-8"),
        ({"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, "text/html; charset=utf-8"),
    ],
)
def test_the_form_is_the_one_that_is_preferred_or_named(client, world, headers, media_type):
    md5 = measured(world)
    for path in (f"/stats/{md5}", f"/stats/{md5}/mean"):
        answer = client.get(path, headers=headers)
        assert answer.headers["Content-Type"] == media_type
        assert "Accept" in answer.vary
        assert client.get(f"{path}?format=text", headers=headers).mimetype == "text/plain"
        assert client.get(f"{path}?format=json", headers=headers).mimetype == "application/json"
        assert client.get(f"{path}?format=html", headers=headers).mimetype == "text/html"
        assert client.get(f"{path}?format=xml", headers=headers).status_code == 422


def test_figures_by_md5_may_be_kept_for_ever_each_form_under_its_own_tag(client, world):
    md5 = measured(world)
    tags = set()
    for path in (f"/stats/{md5}", f"/stats/{md5}/mean", f"/stats/{md5}/p50"):
        for headers in ({}, TEXT):
            answer = client.get(path, headers=headers)
            assert "immutable" in answer.headers["Cache-Control"]
            tags.add(answer.headers["ETag"])
            again = client.get(path, headers={**headers, "If-None-Match": answer.headers["ETag"]})
            assert (again.status_code, again.data) == (304, b"")
    assert len(tags) == 6


def test_a_page_and_what_a_name_means_may_change(client, world):
    md5 = measured(world)
    found_at(world, f"{SITE}/cat.jpg", md5)
    assert client.get(f"/stats/{md5}/mean", headers=PAGE).headers["Cache-Control"] == "no-cache"
    for headers in ({}, TEXT, PAGE):
        assert client.get("/stats/cat.jpg/mean", headers=headers).headers["Cache-Control"] == "no-cache"


def test_a_name_means_the_latest_image_and_the_others_are_said(client, world):
    first, latest, other = (measured(world, body, np.full((2, 2), body[0], np.uint8)) for body in (b"a", b"b", b"c"))
    found_at(world, f"{SITE}/cat.jpg", first)
    found_at(world, f"{SITE}/2/cat.jpg?w=1", latest, at=NOON + timedelta(seconds=2))
    found_at(world, f"{SITE}/1/cat.jpg", other, at=NOON + timedelta(seconds=1))
    found_at(world, f"{SITE}/3/cat.jpg", other, at=NOON - timedelta(seconds=1))
    found_at(world, f"{SITE}/dog.jpg", other, at=NOON + timedelta(seconds=9))
    answer = client.get("/stats/cat.jpg/max")
    assert (answer.json["md5"], answer.json["value"]) == (latest, ord("b"))
    assert (answer.json["others"], answer.json["others_more"]) == ([other, first], False)
    assert answer.json["links"]["self"] == answer.headers["Content-Location"] == f"/stats/{latest}/max"
    text = client.get("/stats/cat.jpg/max", headers=TEXT)
    assert (text.data, text.headers["X-Other-Images"]) == (b"98\n", "2")
    page = client.get("/stats/cat.jpg/max", headers=PAGE).text
    assert "3 images have this file name; this is the latest" in page
    assert f'href="/stats/{other}/max"' in page
    assert client.get(f"/stats/{latest}/max").json["others"] == []


def test_a_duplicate_makes_the_image_the_latest_of_its_name_again(client, world):
    first, second = measured(world, b"a"), measured(world, b"b")
    for second_number, md5 in enumerate((first, second, first)):
        found_at(world, f"{SITE}/cat.jpg", md5, at=NOON + timedelta(seconds=second_number))
    answer = client.get("/stats/cat.jpg").json
    assert (answer["md5"], answer["others"]) == (first, [second])


def test_of_a_name_that_very_many_have_not_all_are_looked_at(client, world):
    md5 = measured(world)
    task_id = world.task([f"{SITE}/{line}/image.jpg" for line in range(LOOKED_AT + 1)])
    ended = {"outcome": "duplicate", "md5": md5, "file_name": "image.jpg", "finished_at": NOON}
    world.database["items"].update_many({"task_id": task_id}, {"$set": ended})
    answer = client.get("/stats/image.jpg")
    assert (answer.json["others"], answer.json["others_more"]) == ([], True)


@pytest.mark.parametrize(
    "segment",
    [
        *(
            "cat.jpg",
            "cat%20one.jpg",
            "caf%C3%A9.jpg",
            "cafe%CC%81.jpg",
            "%E7%8C%AB.png",
            "a+b&c=d;e,f.jpg",
            "100%25.jpg",
        ),
        *(
            "%FF%FE.jpg",
            "a%00b.jpg",
            "%0D%0ASet-Cookie:%20a=b",
            "...",
            "%3F",
            "%23",
            "$where",
            "%7B%22$gt%22:%22%22%7D",
        ),
        *("mean", "p50", "a%252Fb.jpg", "x" * MOST_CHARACTERS, quote("é" * MOST_CHARACTERS), quote(HOSTILE, safe="")),
    ],
)
def test_an_image_is_found_by_the_name_as_it_stands_in_its_url(client, world, segment):
    md5 = measured(world)
    found_at(world, f"{SITE}/photos/{segment}?w=1", md5)
    for headers in ({}, TEXT, PAGE):
        for path in (f"/stats/{segment}", f"/stats/{segment}/p99.9"):
            assert client.get(path, headers=headers).status_code == 200
    assert client.get(f"/stats/{segment}/max").json["md5"] == md5


def test_a_name_of_32_digits_is_an_md5_first(client, world):
    stored, other = measured(world, b"a"), measured(world, b"b")
    nobody = "0" * 32
    for name in (stored, nobody):
        found_at(world, f"{SITE}/{name}", other)
    assert client.get(f"/stats/{stored}").json["md5"] == stored
    named = client.get(f"/stats/{nobody}")
    assert named.json["md5"] == other
    assert named.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "name",
    [
        *("0" * 32, "A" * 32, "nobody.jpg", "CAT.JPG", "cat.jp", "cat.jpg%20", "%20", "%00", "..", "%2E%2E", "$ne"),
        *("x" * (MOST_CHARACTERS + 1), "x" * 100_000, "%FF", quote(HOSTILE, safe="")),
    ],
)
def test_an_unknown_image_is_404_with_a_sentence(client, world, name):
    found_at(world, f"{SITE}/cat.jpg", measured(world))
    found_at(world, f"{SITE}/", measured(world, b"nameless"))
    for path in (f"/stats/{name}", f"/stats/{name}/mean"):
        for headers in ({}, TEXT):
            answer = client.get(path, headers=headers)
            assert answer.status_code == 404
            assert answer.json["detail"] == "No image with this MD5, or with this file name in its URL, is stored."


@pytest.mark.parametrize(
    "name",
    ["mode", "Mean", "p101", "p-1", "p1e2", "pnan", "p", "p٣", f"p1.{'3' * 400}", "p50 ", quote(HOSTILE, safe="")],
)
def test_an_unknown_function_is_404_with_a_sentence_that_names_those_there_are(client, world, name):
    md5 = measured(world)
    answer = client.get(f"/stats/{md5}/{name}")
    assert answer.status_code == 404
    assert "min, max, mean, median, std, and p0 to p100" in answer.json["detail"]
    assert len(answer.json["detail"]) < 200
    assert "<script>" not in client.get(f"/stats/{md5}/{name}", headers=PAGE).text


def test_a_stranger_s_name_is_only_text_on_the_page(client, world):
    found_at(world, f"{SITE}/{quote(HOSTILE, safe='')}", measured(world))
    page = client.get(f"/stats/{quote(HOSTILE, safe='')}/p50", headers=PAGE).text
    assert "<script>" not in page
    assert "49.png" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("choice", "address"),
    [
        ("image=cat.jpg&function=p99.9", "/stats/cat.jpg/p99.9"),
        ("image=cat.jpg&function=", "/stats/cat.jpg"),
        ("image=cat+one.jpg", "/stats/cat%20one.jpg"),
        ("image=https%3A%2F%2Fimages.example%2Fa%2Fcat.jpg%3Fw%3D1&function=max", "/stats/cat.jpg/max"),
    ],
)
def test_the_form_leads_to_what_was_chosen(client, choice, address):
    answer = client.get(f"/stats?{choice}")
    assert (answer.status_code, answer.headers["Location"]) == (302, address)


@pytest.mark.parametrize("choice", ["image=%2F%2Fevil.example", "image=..%2F..", "image=cat.jpg&function=..%2Fmax"])
def test_the_form_leads_nowhere_else(client, choice):
    assert client.get(f"/stats?{choice}").status_code == 404


def test_without_a_choice_the_functions_are_told(client):
    functions = client.get("/stats").json["functions"]
    assert {"min", "max", "mean", "median", "p99"} <= set(functions)
    page = client.get("/stats?image=", headers=PAGE).text
    assert '<input name="image"' in page
    assert "the darkest level" in page


def test_head_sends_no_byte(client, world):
    md5 = measured(world)
    head, whole = client.head(f"/stats/{md5}/mean"), client.get(f"/stats/{md5}/mean")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == whole.headers["ETag"]
