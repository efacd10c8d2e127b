"""What an export is made of, without a database: conditions, plans, batches, snapshots, archives and state."""

import hashlib
import json
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.instants import read_instant, write_instant
from common.manifest import Image, Line, Place, entry
from services.fetcher.export.directory import Directory, opened
from services.fetcher.export.errors import CannotExport
from services.fetcher.export.names import extension
from services.fetcher.export.pixels import BATCH_BYTES, BATCH_IMAGES, Pixels, batches
from services.fetcher.export.plan import Format, Plan, Shard, Variant
from services.fetcher.export.run import Result
from services.fetcher.export.selection import Query, Task, read_host
from services.fetcher.export.shown import as_json, as_text
from services.fetcher.export.snapshot import PAGE, Chosen, choosing, snapshot
from services.fetcher.export.state import STATE, Finished, State, read_state, write_state
from services.fetcher.export.tar import Tar

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TASK = Task(UUID("00000000-0000-4000-8000-000000000001"))
BOTH = Plan.of(TASK, Format.WEBDATASET, Variant.BOTH, 10)


def an_image(number: int, length_bytes: int = 3, gray_bytes: int = 4) -> Image:
    md5 = hashlib.md5(str(number).encode()).hexdigest()
    return Image(md5, f"https://h/{number}", 2, 3, length_bytes, gray_bytes, "JPEG", "RGB", 1, None, NOON)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-01T12:00:00Z", NOON),
        ("2026-01-01t12:00:00z", NOON),
        ("2026-01-01 12:00:00Z", NOON),
        ("2026-01-01T13:30:00.250+01:30", NOON + timedelta(milliseconds=250)),
    ],
)
def test_a_time_is_read_with_its_offset(text: str, instant: datetime) -> None:
    assert read_instant(text) == instant
    assert read_instant(write_instant(instant)) == instant


@pytest.mark.parametrize(
    "text", ["", "2026-01-01", "2026-01-01T12:00:00", "2026-13-01T12:00:00Z", "0001-01-01T00:00:00+23:00", "now"]
)
def test_a_time_that_is_none_or_has_no_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a time such as"):
        read_instant(text)


@pytest.mark.parametrize(
    ("text", "host"),
    [("Example.ORG", "example.org"), ("b\u00fccher.example", "xn--bcher-kva.example"), ("127.0.0.1", "127.0.0.1")],
)
def test_a_host_is_taken_as_the_fetcher_asks_it(text: str, host: str) -> None:
    assert read_host(text) == host
    assert Query(hosts=(host,)).takes(f"https://{text}:81/a?b#c")
    assert not Query(hosts=(host,)).takes(f"https://www.{text}/")
    assert not Query(hosts=(host,)).takes("https://***@invalid/")


@pytest.mark.parametrize("text", ["", "a b", "h/path", "h:81", "https://h", "me@h", "h?x"])
def test_what_is_no_host_alone_is_refused(text: str) -> None:
    with pytest.raises(CannotExport, match=r"^--host: "):
        read_host(text)


def test_conditions_become_a_filter_of_those_given() -> None:
    assert Query().condition() == {}
    query = Query(min_width=1, max_height=2, formats=("GIF",), since=NOON, until=NOON)
    assert query.condition() == {
        "width": {"$gte": 1},
        "height": {"$lte": 2},
        "inserted_at": {"$gte": NOON, "$lt": NOON},
        "format": {"$in": ["GIF"]},
    }
    assert query.as_json() == {
        "query": {
            "min_width": 1,
            "max_height": 2,
            "formats": ["GIF"],
            "since": "2026-01-01T12:00:00Z",
            "until": "2026-01-01T12:00:00Z",
        }
    }


@given(images=st.integers(0, 5_000), size=st.integers(1, 1_200))
def test_shards_have_every_image_once(images: int, size: int) -> None:
    shards = list(Plan.of(TASK, Format.PARQUET, Variant.GRAY, size).shards(images))
    assert [rank for shard in shards for rank in range(shard.first, shard.first + shard.count)] == list(range(images))
    assert [shard.number for shard in shards] == list(range(len(shards)))
    assert all(0 < shard.count <= size for shard in shards)


def test_options_that_say_nothing_for_a_format_make_no_other_export() -> None:
    for variant in Variant:
        assert Plan.of(TASK, Format.JSONL, variant, 7) == Plan.of(TASK, Format.JSONL, Variant.ORIGINAL, 8)
        assert Plan.of(TASK, Format.FOLDER, variant, 7) == Plan.of(TASK, Format.FOLDER, variant, 8)
        assert Plan.of(TASK, Format.PARQUET, variant, 7) != Plan.of(TASK, Format.PARQUET, variant, 8)


@given(st.lists(st.tuples(st.integers(1, BATCH_BYTES), st.integers(1, 1_000)), max_size=40))
def test_batches_are_bounded_in_bytes_and_keep_the_order(sizes: list[tuple[int, int]]) -> None:
    images = [an_image(number, *size) for number, size in enumerate(sizes)]
    found = list(batches(images, BOTH))
    assert [image for batch in found for image in batch] == images
    for batch in found:
        assert len(batch) == 1 or sum(image.length_bytes + image.gray_bytes for image in batch) <= BATCH_BYTES


def test_batches_of_small_images_are_bounded_in_number() -> None:
    images = [an_image(number) for number in range(BATCH_IMAGES + 1)]
    assert [len(batch) for batch in batches(images, BOTH)] == [BATCH_IMAGES, 1]


def test_a_snapshot_has_each_image_once_by_md5_and_every_line_in_order(tmp_path: Path) -> None:
    images = [an_image(number) for number in range(2 * PAGE + 1)]
    lines = [
        Line(number, f"https://l/{number}", "success", None, None, None, NOON, image.md5)
        for number, image in enumerate([*images, *images[:5]], 1)
    ]
    lines += [Line(len(lines) + 1, "\u2028", "error", "dns", None, "no\nname", None, None)]
    directory = Directory(tmp_path)
    with choosing(directory, "s") as chosen:
        assert chosen.unknown([images[0].md5]) == [images[0].md5]
        chosen.add(images, lines[PAGE:])
        assert chosen.unknown([images[0].md5, "other"]) == ["other"]
        chosen.add(images[:7], lines[:PAGE])
    ordered = sorted(images, key=lambda image: image.md5)
    with snapshot(directory, "s") as frozen:
        assert frozen.count_images() == len(images)
        assert frozen.count_outcomes() == {"error": 1, "success": len(lines) - 1}
        assert list(frozen.images(0, len(images))) == ordered
        assert list(frozen.images(5, PAGE + 5)) == ordered[5 : PAGE + 10]
        everyone = {image.md5: Chosen(image, rank, None) for rank, image in enumerate(ordered)}
        assert list(frozen.all_images()) == list(everyone.values())
        assert list(frozen.lines()) == [(line, everyone.get(str(line.md5))) for line in lines]


def test_an_image_that_is_left_out_has_no_rank_and_names_the_one_it_is_left_for(tmp_path: Path) -> None:
    images = sorted((an_image(number) for number in range(3)), key=lambda image: image.md5)
    lines = [
        Line(number, image.url, "success", None, None, None, NOON, image.md5) for number, image in enumerate(images)
    ]
    with choosing(Directory(tmp_path), "s") as chosen:
        chosen.add(images, lines)
        chosen.leave_out(images[1].md5, images[2].md5)
    everyone = [Chosen(images[0], 0, None), Chosen(images[1], None, images[2].md5), Chosen(images[2], 1, None)]
    with snapshot(Directory(tmp_path), "s") as frozen:
        assert (frozen.count_images(), frozen.count_left_out()) == (2, 1)
        assert list(frozen.images(0, 2)) == [images[0], images[2]]
        assert list(frozen.all_images()) == everyone
        assert list(frozen.lines()) == list(zip(lines, everyone, strict=True))


def test_a_choice_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(CannotExport), choosing(Directory(tmp_path), "s"):
        raise CannotExport("no")
    assert list(tmp_path.iterdir()) == []


def test_an_archive_is_sorted_and_the_same_to_the_byte_every_time(tmp_path: Path) -> None:
    images = sorted((an_image(number) for number in range(3)), key=lambda image: image.md5)
    pixels = [Pixels(image, b"jpg", b"gray") for image in images]
    directory = Directory(tmp_path)
    first = Tar(BOTH).write(directory, Shard(0, 0, 3), [pixels])
    second = Tar(BOTH).write(directory, Shard(1, 0, 3), [pixels[:1], pixels[1:]])
    assert (first.file, second.file) == ("00000.tar", "00001.tar")
    assert (tmp_path / "00000.tar").read_bytes() == (tmp_path / "00001.tar").read_bytes()
    with tarfile.open(tmp_path / "00000.tar") as archive:
        members = archive.getmembers()
    names = [f"{image.md5}.{suffix}" for image in images for suffix in ("gray.png", "jpg", "json")]
    assert [member.name for member in members] == names == sorted(names)
    assert {(member.mtime, member.uid, member.gid, member.uname, member.gname) for member in members} == {
        (0, 0, 0, "", "")
    }


def test_a_file_has_its_name_only_once_it_is_whole(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    with directory.replacing("a/b") as file:
        file.write(b"whole")
        assert directory.size("a/b") is None
    with pytest.raises(TypeError), directory.replacing("a/b") as file:
        file.writelines([b"ha", "lf"])  # type: ignore[list-item]
    assert (tmp_path / "a" / "b").read_bytes() == b"whole"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_the_state_is_read_as_it_was_written_and_by_its_own_plan_only(tmp_path: Path) -> None:
    state = State(12, {"success": 12}, (Finished("00000.tar", 10, 99), Finished(None, 2, 1)), left_out=4)
    with opened(tmp_path / "out") as directory:
        assert read_state(directory, BOTH) is None
        write_state(directory, BOTH, state)
        assert read_state(directory, BOTH) == state
        with pytest.raises(CannotExport, match="has another export in it"):
            read_state(directory, Plan.of(TASK, Format.WEBDATASET, Variant.BOTH, 11))
        with pytest.raises(CannotExport, match="has another export in it"):
            read_state(directory, Plan.of(TASK, Format.WEBDATASET, Variant.BOTH, 10, one_per_group=0))
        for text in ("", "[]", "{}", '{"plan": {}, "progress": {"shards": [{}]}}'):
            (directory.path / STATE).write_text(text)
            with pytest.raises(CannotExport, match="cannot be read"):
                read_state(directory, BOTH)


def test_a_manifest_has_the_same_names_in_every_line() -> None:
    image = an_image(1)
    failed = Line(2, "https://l/2", "error", "http_4xx", 404, "Not Found", NOON, None)
    pending = Line(3, "https://l/3", "pending", None, None, None, None, None)
    stored = Line(1, "https://l/1", "duplicate", None, None, None, NOON, image.md5)
    lines = [
        entry(stored, image, Place("00000.tar", None, image.md5)),
        entry(failed, None, Place()),
        entry(pending, None, Place()),
        entry(None, image, Place(), "0" * 32),
    ]
    assert len({tuple(line) for line in lines}) == 1
    assert lines[0]["url"] == "https://l/1"
    assert lines[3]["near_duplicate_of"] == "0" * 32
    assert (lines[0]["file"], lines[0]["key"]) == ("00000.tar", image.md5)
    assert (lines[1]["reason"], lines[1]["status"], lines[1]["finished_at"]) == ("http_4xx", 404, write_instant(NOON))
    assert (lines[2]["finished_at"], lines[2]["width"]) == (None, None)
    assert (lines[3]["line"], lines[3]["url"], lines[3]["md5"]) == (None, image.url, image.md5)


def test_the_result_is_told_to_people_and_machines() -> None:
    shards = (Finished("00000.tar", 10, 2 << 20), Finished("00001.tar", 2, 1 << 20))
    state = State(12, {"success": 12, "pending": 3}, shards, complete=True)
    result = Result(BOTH, Path("out"), state, 2)
    assert as_text(result) == (
        f"task {TASK.task_id} as webdataset (both) in out: 12 images, 3.0 MiB in 2 files; 15 lines in manifest.jsonl, "
        "3 of them pending when it began; 10 images were there already"
    )
    told = json.loads(json.dumps(as_json(result)))
    assert told["task"] == str(TASK.task_id)
    assert (told["images"], told["images_written_now"], told["length_bytes"]) == (12, 2, 3 << 20)
    assert told["shards"] == ["00000.tar", "00001.tar"]


def test_near_duplicates_that_were_left_out_are_counted() -> None:
    plan = Plan.of(Query(), Format.JSONL, Variant.GRAY, 10, one_per_group=8)
    result = Result(plan, Path("out"), State(12, {}, (), complete=True, left_out=3), 0)
    assert as_text(result) == "all images as jsonl in out: 12 images; 3 near-duplicates left out"
    assert (as_json(result)["one_per_group"], as_json(result)["near_duplicates_left_out"]) == (8, 3)


def test_extensions_follow_the_stored_format() -> None:
    assert [extension(name) for name in ("JPEG", "TIFF", "OTHER")] == ["jpg", "tif", "other"]
