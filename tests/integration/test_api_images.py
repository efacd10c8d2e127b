"""Images over HTTP: bytes that may be cached for ever, metadata, pages of a list."""

import io
from datetime import timedelta

from PIL import Image

from services.api.queries.images import MOST_URLS
from tests.api_world import NOON


def test_the_gray_version_is_a_png_that_may_be_kept_for_ever_and_can_run_nothing(client, world):
    md5 = world.image(b"one")
    answer = client.get(f"/image/{md5}")
    assert answer.status_code == 200
    assert answer.data == world.database["grays"].find_one({"_id": md5})["png"]
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == f'inline; filename="{md5}.png"'
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["ETag"].startswith('"')


def test_who_has_the_image_already_gets_304_without_its_bytes(client, world):
    md5 = world.image(b"one")
    for path in (f"/image/{md5}", f"/image/{md5}/original"):
        tag = client.get(path).headers["ETag"]
        for asked in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            again = client.get(path, headers={"If-None-Match": asked})
            assert (again.status_code, again.data) == (304, b"")
            assert again.headers["ETag"] == tag
            assert "immutable" in again.headers["Cache-Control"]
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_an_image_that_is_not_stored_is_404_even_to_who_claims_to_have_it(client):
    md5 = "0" * 32
    for tag in ("*", f'"{md5}-gray"', f'"{md5}"'):
        assert client.get(f"/image/{md5}", headers={"If-None-Match": tag}).status_code == 404
        assert client.get(f"/image/{md5}/original", headers={"If-None-Match": tag}).status_code == 404


def test_head_tells_the_length_and_sends_no_byte(client, world):
    md5 = world.image(b"one")
    for path in (f"/image/{md5}", f"/image/{md5}/original"):
        whole, head = client.get(path), client.head(path)
        assert head.status_code == 200
        assert head.data == b""
        assert head.headers["Content-Length"] == str(len(whole.data))
        assert head.headers["ETag"] == whole.headers["ETag"]


def test_the_original_has_the_type_that_the_decoder_found(client, world):
    for kind, media_type, ending in (("JPEG", "image/jpeg", "jpg"), ("WEBP", "image/webp", "webp")):
        md5 = world.image(kind.encode(), kind=kind)
        answer = client.get(f"/image/{md5}/original")
        assert answer.data == kind.encode()
        assert answer.headers["Content-Type"] == media_type
        assert answer.headers["ETag"] == f'"{md5}"'
        assert answer.headers["Content-Disposition"] == f'inline; filename="{md5}.{ending}"'
    odd = world.image(b"odd", kind="PDF")
    assert client.get(f"/image/{odd}/original").headers["Content-Type"] == "application/octet-stream"


def test_an_original_that_is_not_kept_is_told_from_an_unknown_image(client, world):
    md5 = world.image(b"one", keep=False)
    assert "not kept" in client.get(f"/image/{md5}/original").json["detail"]
    assert "No image" in client.get(f"/image/{'0' * 32}/original").json["detail"]
    assert "original" not in client.get(f"/images/{md5}").json["links"]


def test_metadata_names_every_url_the_image_was_found_under(client, world):
    md5 = world.image(b"one")
    task_id = world.task(["https://a.example/1", "https://a.example/2", "https://a.example/3"])
    world.end(task_id, 1, "success", md5=md5)
    world.end(task_id, 3, "duplicate", md5=md5, at=NOON + timedelta(milliseconds=7))
    answer = client.get(f"/images/{md5}").json
    assert (answer["md5"], answer["width"], answer["height"], answer["format"]) == (md5, 3, 2, "PNG")
    assert answer["inserted_at"] == "2024-05-31T12:00:00Z"
    assert answer["links"]["gray"] == f"/image/{md5}"
    assert answer["links"]["original"] == f"/image/{md5}/original"
    found = [(url["url"], url["outcome"], url["task"], url["finished_at"]) for url in answer["urls"]]
    assert found == [
        ("https://a.example/1", "success", str(task_id), "2024-05-31T12:00:00Z"),
        ("https://a.example/3", "duplicate", str(task_id), "2024-05-31T12:00:00.007Z"),
    ]
    assert answer["urls_more"] is False


def test_of_very_many_urls_a_thousand_are_named_and_that_there_are_more(client, world):
    md5 = world.image(b"one")
    task_id = world.task([f"https://a.example/{line}" for line in range(MOST_URLS + 1)])
    ended = {"outcome": "duplicate", "md5": md5, "finished_at": NOON}
    world.database["items"].update_many({"task_id": task_id}, {"$set": ended})
    answer = client.get(f"/images/{md5}").json
    assert (len(answer["urls"]), answer["urls_more"]) == (MOST_URLS, True)


def test_pages_show_every_image_once_newest_first_even_those_of_the_same_moment(client, world):
    stored = [world.image(b"%d" % number, at=NOON + timedelta(milliseconds=number // 5)) for number in range(23)]
    expected = sorted(stored, key=lambda md5: (stored.index(md5) // 5, md5), reverse=True)
    seen, address = [], "/images?limit=4"
    while address:
        answer = client.get(address)
        assert len(answer.json["images"]) <= 4
        seen += [image["md5"] for image in answer.json["images"]]
        address = answer.json["next"]
        assert answer.headers.get("Link") == (f'<{address}>; rel="next"' if address else None)
    assert seen == expected


def test_arguments_that_are_not_declared_are_ignored_and_do_not_come_into_the_next_address(client, world):
    for number in range(2):
        world.image(b"%d" % number)
    answer = client.get("/images?limit=1&_scheme=javascript&_external=1&endpoint=x&_anchor=y&md5=z")
    assert answer.status_code == 200
    assert answer.json["next"].startswith("/images?limit=1&cursor=")
    assert client.get(answer.json["next"]).json["next"] is None


def test_an_image_stored_meanwhile_does_not_shift_the_next_page(client, world):
    for number in range(4):
        world.image(b"%d" % number, at=NOON + timedelta(seconds=number))
    first = client.get("/images?limit=2").json
    world.image(b"new", at=NOON + timedelta(seconds=9))
    second = client.get(first["next"]).json
    seen = [image["md5"] for image in first["images"] + second["images"]]
    assert len(set(seen)) == 4
    assert second["next"] is None


def test_the_list_never_reads_pixels(client, world):
    world.image(b"one")
    world.database.drop_collection("grays")
    world.database.drop_collection("originals")
    assert len(client.get("/images").json["images"]) == 1


def test_a_random_image_is_one_that_is_stored(client, world):
    assert client.get("/randomimage").status_code == 404
    stored = {f"/image/{world.image(b'%d' % number)}" for number in range(3)}
    answer = client.get("/randomimage")
    assert answer.status_code == 302
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Location"] in stored
    assert Image.open(io.BytesIO(client.get(answer.headers["Location"]).data)).size == (3, 2)
