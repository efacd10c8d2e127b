"""Exports of stored images: read back by what trains on them, interrupted and continued, and refused."""

import fcntl
import gc
import hashlib
import io
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pyarrow.dataset
import pyarrow.parquet
import pytest
import webdataset
from rich.console import Console

from common.database import Document, connect, create_indexes
from common.instants import write_instant
from deploy.local.mongodb import MongoDB
from deploy.local.waiting import wait_until
from services.fetcher.export.errors import CannotExport
from services.fetcher.export.plan import Format, Plan, Variant
from services.fetcher.export.run import Result, export
from services.fetcher.export.selection import Query, Selection, Task
from services.fetcher.export.shown import as_json, bars_on
from services.fetcher.export.state import STATE
from tests.exporting import BEGIN, EXTENSIONS, FORMATS, Command, Stored, manifest, put_image, put_images, put_task, tree

IMAGES = 5_000
OF_OTHERS = 40
DELETED = "0" * 32
MEBIBYTE = 1024 * 1024
LARGE_IMAGES, LARGE_BYTES = 40, 4 * MEBIBYTE
HALTING = """
import os, signal
from services.fetcher.export.command import export
from services.fetcher.export.pixels import PixelReader
read, shards = PixelReader.read, []
def halting(self, images):
    shards.append(images)
    for batch in read(self, images):
        yield batch
        if len(shards) == 3:
            os.kill(os.getpid(), signal.SIGSTOP)
PixelReader.read = halting
export(prog_name="fetcher export")
"""
MEASURED = """
import sys
from services.fetcher.export.command import export
try:
    export(prog_name="fetcher export")
finally:
    with open("/proc/self/status") as status:
        peak = next(line for line in status if line.startswith("VmHWM"))
    print(int(peak.split()[1]) * 1024, file=sys.stderr)
"""
WITHOUT_PYARROW = (
    "import sys; sys.modules['pyarrow'] = None\nfrom services.fetcher.export.command import export; export()"
)
ON_A_SMALL_DISK = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
from services.fetcher.export.command import export
export()
"""


@pytest.fixture(scope="module")
def mongo_url(mongodb: MongoDB) -> str:
    return replace(mongodb, database=f"test-export-{uuid4().hex[:8]}").url


@pytest.fixture(scope="module")
def stored(mongo_url: str) -> Iterator[Stored]:
    """Store 5,040 images, and a task that has 5,000 of them among lines that repeat, failed, wait or lost theirs."""
    database = connect(mongo_url, application="tests")
    create_indexes(database)
    stored = Stored(database, uuid4())
    put_images(stored, IMAGES + OF_OTHERS)
    md5s = list(stored.images)[:IMAGES]
    ends: list[dict[str, Any]] = [
        {"url": stored.images[md5]["url"], "outcome": "success", "md5": md5} for md5 in md5s[: IMAGES - 1]
    ]
    again = [{"outcome": "duplicate", "known_by": "md5", "md5": md5} for md5 in md5s[:100]]
    ends += [{"url": f"https://again.example/{line}", **end} for line, end in enumerate(again)]
    ends.append({"url": "https://known.example/", "outcome": "duplicate", "known_by": "url", "md5": md5s[-1]})
    ends.append({"url": "https://deleted.example/", "outcome": "duplicate", "known_by": "url", "md5": DELETED})
    error = {"outcome": "error", "reason": "http_4xx", "status": 404, "detail": "Not Found", "stage": "fetcher"}
    ends += [{"url": f"https://gone.example/\u2028{line}", **error} for line in range(60)]
    ends += [{"url": "https://later.example/", "outcome": "pending"}] * 20
    put_task(stored, ends)
    yield stored
    database.client.drop_database(database.name)
    database.client.close()


@pytest.fixture
def command(stored: Stored, mongo_url: str) -> Command:
    return Command(mongo_url)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def export_here(
    stored: Stored,
    out: Path,
    selection: Selection,
    form: Format,
    variant: Variant = Variant.ORIGINAL,
    *,
    shard_size: int = 1_000,
) -> Result:
    """Export in this process."""
    return export(
        stored.database, Plan.of(selection, form, variant, shard_size), out, bars_on(Console(file=io.StringIO()))
    )


def md5_of(body: bytes) -> str:
    return hashlib.md5(body).hexdigest()


def check_manifest_of_task(stored: Stored, out: Path) -> list[dict[str, Any]]:
    """Check that every line of the task is accounted for; give the lines that have an image."""
    found = manifest(out)
    assert [line["line"] for line in found] == list(range(1, len(stored.lines) + 1))
    for line, item in zip(found, stored.lines, strict=True):
        for name in ("url", "outcome"):
            assert line[name] == item[name]
        for name in ("md5", "reason", "status", "detail"):
            assert line[name] == item.get(name)
        assert line["finished_at"] == (write_instant(item["finished_at"]) if "finished_at" in item else None)
        image = stored.images.get(str(line["md5"]), {})
        for name in ("width", "height", "length_bytes", "gray_bytes", "format", "mode", "orientation"):
            assert line[name] == image.get(name)
        assert line["inserted_at"] == (write_instant(image["inserted_at"]) if image else None)
    with_image = [line for line in found if line["width"] is not None]
    assert len(with_image) == IMAGES + 100
    assert {line["md5"] for line in with_image} == stored.of_task - {DELETED}
    assert all(line["file"] is line["gray_file"] is line["key"] is None for line in found if line["width"] is None)
    return with_image


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """Start an export from a database that is not there. It takes its time; meanwhile the images are stored."""
    out = tmp_path_factory.mktemp("away") / "out"
    with Command("mongodb://127.0.0.1:9/graymill").start("--out", out, "--format", "jsonl") as process:
        yield out, process
        process.kill()


def test_a_database_that_is_away_is_said_with_code_3(away: tuple[Path, subprocess.Popen[str]], stored: Stored) -> None:
    out, process = away
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors.count("\n")) == (3, "", 1)
    assert "the same command again continues it" in errors
    assert not out.exists()


@pytest.mark.filterwarnings("ignore:unclosed file")
def test_webdataset_reads_5000_images_back(command: Command, stored: Stored, out: Path) -> None:
    result = command.succeed("--task", stored.task_id, "--out", out, "--format", "webdataset", "--variant", "both")
    assert result["shards"] == [f"{number:05}.tar" for number in range(5)]
    assert result["images"] == result["images_written_now"] == IMAGES
    assert result["outcomes"] == {"duplicate": 102, "error": 60, "pending": 20, "success": IMAGES - 1}
    urls = {line["md5"]: line["url"] for line in reversed(stored.lines) if "md5" in line}
    seen: dict[str, str] = {}
    samples = webdataset.WebDataset([str(out / name) for name in result["shards"]], shardshuffle=False)
    for sample in samples:
        md5 = sample["__key__"]
        image = stored.images[md5]
        assert md5 not in seen
        seen[md5] = Path(sample["__url__"]).name
        original = sample[EXTENSIONS[FORMATS.index(image["format"])]]
        assert md5_of(original) == md5
        assert sample["gray.png"] == stored.grays[md5]
        described = json.loads(sample["json"])
        assert (described["md5"], described["width"], described["height"]) == (md5, image["width"], image["height"])
        assert described["url"] == urls[md5]
    gc.collect()  # the package leaves its files to it
    assert set(seen) == stored.of_task - {DELETED}
    assert list(seen) == sorted(seen)
    for line in check_manifest_of_task(stored, out):
        assert line["file"] == line["gray_file"] == seen[line["md5"]]
        assert line["key"] == line["md5"]


def test_pyarrow_reads_5000_images_back(command: Command, stored: Stored, out: Path) -> None:
    result = command.succeed(
        *("--task", stored.task_id, "--out", out, "--format", "parquet"), "--variant", "both", "--shard-size", 1_500
    )
    assert result["shards"] == [f"data/{number:05}.parquet" for number in range(4)]
    assert [pyarrow.parquet.read_metadata(out / name).num_rows for name in result["shards"]] == [1_500] * 3 + [500]
    seen = set()
    for row in pyarrow.dataset.dataset(out / "data").to_table().to_pylist():
        md5 = row["md5"]
        image = stored.images[md5]
        assert md5 not in seen
        seen.add(md5)
        assert md5_of(row["original"]) == md5
        assert row["gray"] == stored.grays[md5]
        for name in ("width", "height", "length_bytes", "gray_bytes", "format", "mode", "orientation", "inserted_at"):
            assert row[name] == image[name]
    assert seen == stored.of_task - {DELETED}
    lines = check_manifest_of_task(stored, out)
    first = pyarrow.parquet.read_table(out / "data/00000.parquet", columns=["md5"]).column("md5").to_pylist()
    assert {line["md5"] for line in lines if line["file"] == "data/00000.parquet"} == set(first)


def test_a_folder_has_every_image_as_a_file(command: Command, stored: Stored, out: Path) -> None:
    command.succeed("--task", stored.task_id, "--out", out, "--format", "folder", "--variant", "both")
    files = tree(out)
    for line in check_manifest_of_task(stored, out):
        md5 = line["md5"]
        assert line["file"] == f"images/{md5[:2]}/{md5}.{EXTENSIONS[FORMATS.index(line['format'])]}"
        assert line["gray_file"] == f"gray/{md5[:2]}/{md5}.png"
        assert files[line["file"]] == stored.originals[md5]
        assert files[line["gray_file"]] == stored.grays[md5]
    assert len(files) == 2 * IMAGES + len({"manifest.jsonl", STATE})


def test_jsonl_is_the_manifest_alone(command: Command, stored: Stored, out: Path) -> None:
    command.succeed("--task", stored.task_id, "--out", out, "--format", "jsonl")
    assert set(tree(out)) == {"manifest.jsonl", STATE}
    assert all(line["file"] is None for line in check_manifest_of_task(stored, out))


SINCE, UNTIL = BEGIN + timedelta(seconds=100), BEGIN + timedelta(seconds=4_000)
CONDITIONS: list[tuple[Query, Callable[[Document], bool]]] = [
    (Query(), lambda _image: True),
    (Query(hosts=("pictures.example",)), lambda image: "Pictures" in image["url"]),
    (Query(hosts=("images.example", "xn--bcher-kva.example")), lambda image: "Pictures" not in image["url"]),
    (Query(min_width=30), lambda image: image["width"] >= 30),
    (Query(max_width=16), lambda image: image["width"] <= 16),
    (Query(min_height=20, max_height=50), lambda image: 20 <= image["height"] <= 50),
    (Query(formats=("GIF", "JPEG")), lambda image: image["format"] in ("JPEG", "GIF")),
    (Query(since=SINCE), lambda image: image["inserted_at"] >= SINCE),
    (Query(until=UNTIL), lambda image: image["inserted_at"] < UNTIL),
    (Query(min_width=10_000), lambda _image: False),
]


@pytest.mark.parametrize(("query", "wanted"), CONDITIONS)
def test_images_are_found_by_a_condition(
    stored: Stored, out: Path, query: Query, wanted: Callable[[Document], bool]
) -> None:
    export_here(stored, out, query, Format.JSONL)
    assert [line["md5"] for line in manifest(out)] == sorted(
        md5 for md5, image in stored.images.items() if wanted(image)
    )


def test_images_are_found_by_all_conditions_together(command: Command, stored: Stored, out: Path) -> None:
    sizes = ("--min-width", 30, "--max-width", 60, "--min-height", 20, "--max-height", 50)
    times = ("--since", "2026-01-01T01:01:40+01:00", "--until", write_instant(UNTIL))
    others = (
        "--host",
        "PICTURES.example",
        "--host",
        "b\u00fccher.example",
        "--format-is",
        "jpeg",
        "--format-is",
        "GIF",
    )
    result = command.succeed("--out", out, "--format", "jsonl", *sizes, *times, *others)
    taken = {"images.example": False, "Pictures.Example:8080": True, "b\u00fccher.example": True}
    conditions = [wanted for query, wanted in CONDITIONS if not query.hosts and query.max_width != 16][:-1]
    wanted = {
        md5: image
        for md5, image in stored.images.items()
        if all(condition(image) for condition in conditions)
        and image["width"] <= 60
        and taken[image["url"].split("/")[2]]
    }
    found = manifest(out)
    assert wanted
    assert result["images"] == len(wanted)
    assert [line["md5"] for line in found] == sorted(wanted)
    assert all(line["url"] == wanted[line["md5"]]["url"] for line in found)
    assert {(line["line"], line["outcome"], line["reason"]) for line in found} == {(None, "success", None)}


def interrupted(command: Command, arguments: list[object], out: Path, by: signal.Signals) -> tuple[int, int]:
    """Interrupt an export in its third shard; gives its exit code and the shards that it had finished."""

    def is_there() -> bool:
        return psutil.Process(process.pid).status() == psutil.STATUS_STOPPED

    with command.start(*arguments, code=HALTING) as process:
        try:
            wait_until(is_there, 30, "the export")
            process.send_signal(by)
            process.send_signal(signal.SIGCONT)
            process.communicate(timeout=30)
        finally:
            process.kill()
    return process.returncode, len(json.loads((out / STATE).read_text())["progress"]["shards"])


@pytest.mark.parametrize("form", ["folder", "webdataset", "parquet"])
def test_an_export_that_is_killed_ends_as_if_it_had_not_been(
    command: Command, stored: Stored, tmp_path: Path, form: str
) -> None:
    """Kill it while it writes, damage what it wrote, store another image, and let it end: nothing of it shows."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    arguments = ["--format", form, "--variant", "both", *(() if form == "folder" else ("--shard-size", 500))]
    export_here(stored, whole, Query(), Format(form), Variant.BOTH, shard_size=500)
    code, finished = interrupted(command, [*arguments, "--out", broken], broken, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert finished == 2
    assert not (broken / "manifest.jsonl").exists()
    first_written = min(path for path in broken.rglob("*.*") if path.suffix not in (".json", ".sqlite3", ".part"))
    first_written.write_bytes(b"damaged")
    image = {**next(iter(stored.images.values())), "_id": "f" * 32}
    stored.database["images"].insert_one(image)
    try:
        result = command.succeed(*arguments, "--out", broken)
    finally:
        stored.database["images"].delete_one({"_id": image["_id"]})
    assert 500 <= result["images_written_now"] < result["images"] == IMAGES + OF_OTHERS
    assert tree(broken) == tree(whole)


def test_an_interrupted_export_says_how_it_goes_on(command: Command, stored: Stored, out: Path) -> None:
    arguments = ["--task", stored.task_id, "--format", "webdataset", "--shard-size", 100, "--out", out]
    code, finished = interrupted(command, arguments, out, signal.SIGINT)
    assert code == 130
    assert finished == 2
    assert not list(out.glob("*.part"))
    assert command.succeed(*arguments)["images_written_now"] == IMAGES - 100 * finished


def test_the_same_command_again_changes_nothing(command: Command, stored: Stored, out: Path) -> None:
    def seen() -> dict[Path, tuple[int, int]]:
        return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in [out, *out.rglob("*")]}

    arguments = (stored, out, Task(stored.task_id), Format.WEBDATASET, Variant.GRAY)
    first = export_here(*arguments)
    before = seen()
    again = ("--task", stored.task_id, "--format", "webdataset", "--variant", "gray", "--out", out)
    assert command.succeed(*again) == {**as_json(first), "images_written_now": 0}
    assert seen() == before
    (out / "00001.tar").unlink()
    with pytest.raises(CannotExport, match=r"00001\.tar: is not as it was written"):
        export_here(*arguments)


def test_another_export_into_the_directory_is_refused(command: Command, stored: Stored, out: Path) -> None:
    query = Query(min_width=75)
    export_here(stored, out, query, Format.WEBDATASET, Variant.GRAY)
    before = tree(out)
    others: list[tuple[Selection, Format, Variant, int]] = [
        (Task(stored.task_id), Format.WEBDATASET, Variant.GRAY, 1_000),
        (Query(min_width=74), Format.WEBDATASET, Variant.GRAY, 1_000),
        (query, Format.FOLDER, Variant.GRAY, 1_000),
        (query, Format.WEBDATASET, Variant.BOTH, 1_000),
        (query, Format.WEBDATASET, Variant.GRAY, 999),
    ]
    for *other, shard_size in others:
        with pytest.raises(CannotExport, match="has another export in it"):
            export_here(stored, out, *other, shard_size=shard_size)
    code, sentence = command.refused("--out", out, "--format", "folder")
    assert code == 2
    assert "has another export in it" in sentence
    assert tree(out) == before


def test_a_directory_that_cannot_be_is_refused(stored: Stored, out: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refusals = {
        "is neither empty nor an export": tmp_path,
        "file: File exists": tmp_path / "file",
        "file/x: Not a directory": tmp_path / "file" / "x",
    }
    for sentence, path in refusals.items():
        with pytest.raises(CannotExport, match=sentence):
            export_here(stored, path, Query(), Format.JSONL)
    export_here(stored, out, Query(), Format.JSONL)
    (out / STATE).write_text("{}")
    with pytest.raises(CannotExport, match="cannot be read as the state of an export"):
        export_here(stored, out, Query(), Format.JSONL)


def test_what_cannot_be_asked_is_refused_in_a_line(command: Command, stored: Stored, out: Path) -> None:
    refusals: dict[str, tuple[object, ...]] = {
        "there is no task": ("--task", uuid4()),
        "--task takes the whole": ("--task", stored.task_id, "--min-width", 3),
        "--since: must be a time such as": ("--since", "yesterday"),
    }
    for sentence, arguments in refusals.items():
        code, said = command.refused("--format", "jsonl", "--out", out, *arguments)
        assert code == 2
        assert sentence in said
    assert not out.exists()


def test_two_exports_at_once_into_a_directory_are_refused(stored: Stored, tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(CannotExport, match="another export is writing there"):
            export_here(stored, tmp_path, Query(), Format.JSONL)
    finally:
        os.close(descriptor)


def test_without_pyarrow_the_extra_is_named(command: Command, stored: Stored, out: Path) -> None:
    code, sentence = command.refused("--out", out, "--format", "parquet", code=WITHOUT_PYARROW)
    assert code == 2
    assert "pip install 'graymill[parquet]'" in sentence
    assert not out.exists()
    assert command.run("--out", out, "--format", "jsonl", "--min-width", 75, code=WITHOUT_PYARROW)[0] == 0


def test_missing_originals_are_told_and_gray_versions_are_not_missed(
    command: Command, stored: Stored, out: Path
) -> None:
    missing = [{"_id": md5, "body": stored.originals[md5]} for md5 in list(stored.images)[:3]]
    stored.database["originals"].delete_many({"_id": {"$in": [document["_id"] for document in missing]}})
    try:
        arguments = ["--out", out, "--format", "folder", "--until", write_instant(BEGIN + timedelta(seconds=10))]
        code, sentence = command.refused(*arguments, "--variant", "both")
        assert code == 2
        assert "3 of the images have no original stored" in sentence
        assert tree(out) == {}
        assert command.succeed(*arguments, "--variant", "gray")["images"] == 10
    finally:
        stored.database["originals"].insert_many(missing)


def test_a_full_disk_is_told_in_a_line_and_the_export_goes_on_later(
    command: Command, stored: Stored, out: Path
) -> None:
    arguments = ["--out", out, "--format", "webdataset", "--variant", "both", "--shard-size", 5_000]
    code, sentence = command.refused(*arguments, code=ON_A_SMALL_DISK)
    assert code == 2
    assert "File too large" in sentence
    assert not list(out.glob("*.part"))
    assert command.succeed(*arguments)["images"] == IMAGES + OF_OTHERS


@pytest.mark.parametrize("form", ["folder", "webdataset", "parquet"])
def test_memory_does_not_grow_with_what_is_exported(
    mongodb: MongoDB, tmp_path: Path, form: str, large: Command
) -> None:
    peaks = []
    for name, conditions in (("one", ["--max-width", 1]), ("all", [])):
        code, _output, errors = large.run("--out", tmp_path / name, "--format", form, *conditions, code=MEASURED)
        assert code == 0, errors
        peaks.append(int(errors))
    print(f"{form}: {peaks[0] / MEBIBYTE:.0f} MiB for one, {peaks[1] / MEBIBYTE:.0f} MiB for all")  # noqa: T201
    written = sum(path.stat().st_size for path in (tmp_path / "all").rglob("*") if path.is_file())
    assert written > LARGE_IMAGES * LARGE_BYTES
    assert peaks[1] - peaks[0] < LARGE_IMAGES * LARGE_BYTES / 2


@pytest.fixture(scope="module")
def large(mongodb: MongoDB) -> Iterator[Command]:
    """Store 160 MiB in images of 4 MiB, one of which is a pixel wide."""
    url = replace(mongodb, database=f"test-export-large-{uuid4().hex[:8]}").url
    database = connect(url, application="tests")
    stored = Stored(database, uuid4())
    for number in range(LARGE_IMAGES):
        body = os.urandom(LARGE_BYTES)
        md5 = put_image(
            stored,
            body,
            b"gray",
            size=(1 + number, 10),
            image_format="JPEG",
            url="https://large.example/",
            number=number,
        )
        database["originals"].insert_one({"_id": md5, "body": stored.originals.pop(md5)})
        database["grays"].insert_one({"_id": md5, "png": b"gray"})
    database["images"].insert_many(islice(stored.images.values(), None))
    yield Command(url)
    database.client.drop_database(database.name)
    database.client.close()
