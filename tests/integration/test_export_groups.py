"""Exports with one image of each group of near-duplicates, of photographs and copies of them."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow.dataset
import pytest
import webdataset
from bson import Int64
from PIL import Image
from rich.console import Console

from common.database import connect, create_indexes
from common.multi_index import DEFAULT_DISTANCE, band_keys
from deploy.local.mongodb import MongoDB
from services.fetcher.export.plan import Format, Plan, Variant
from services.fetcher.export.run import export
from services.fetcher.export.selection import Query
from services.fetcher.export.shown import bars_on
from services.grayscaler import png
from services.grayscaler.grayscale import grayscale
from services.grayscaler.perceptual import perceptual_hash
from tests.exporting import Command, Stored, manifest, put_image, put_task, tree

PHOTOS = sorted((Path(__file__).parents[2] / "samples" / "photos").glob("*.jpg"))
FORMATS = ("PNG", "JPEG")
COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "itself": lambda image: image,
    "thumbnail": lambda image: image.resize((90, 90 * image.height // image.width)),
    "darker": lambda image: image.point(lambda level: level * 4 // 5),
    "half": lambda image: image.resize((image.width // 2, image.height // 2)),
}
BLANK = [Image.new("RGB", (40 + number, 40), "white") for number in range(3)]


@pytest.fixture(scope="module")
def mongo_url(mongodb: MongoDB) -> str:
    return replace(mongodb, database=f"test-groups-{uuid4().hex[:8]}").url


@pytest.fixture(scope="module")
def names(mongo_url: str) -> dict[str, str]:
    """Give what each MD5 that is stored is."""
    return {}


@pytest.fixture(scope="module")
def stored(mongo_url: str, names: dict[str, str]) -> Iterator[Stored]:
    """Store each photograph with its copies, and three blank images, as the services would have."""
    database = connect(mongo_url, application="tests")
    create_indexes(database)
    stored = Stored(database, uuid4())
    pictures = {f"{path.stem} {copy}": made(path, COPIES[copy]) for path in PHOTOS for copy in COPIES}
    pictures |= {f"blank {number}": image for number, image in enumerate(BLANK)}
    for number, (name, picture) in enumerate(pictures.items()):
        names[store(stored, picture, number)] = name
    database["images"].insert_many(stored.images.values())
    database["originals"].insert_many({"_id": md5, "body": body} for md5, body in stored.originals.items())
    database["grays"].insert_many({"_id": md5, "png": body} for md5, body in stored.grays.items())
    ends: list[dict[str, Any]] = [
        {"url": f"https://h/{name}", "outcome": "success", "md5": md5} for md5, name in names.items()
    ]
    put_task(stored, [*ends, {"url": "https://h/later", "outcome": "pending"}])
    yield stored
    database.client.drop_database(database.name)
    database.client.close()


def made(path: Path, copy: Callable[[Image.Image], Image.Image]) -> Image.Image:
    with Image.open(path) as image:
        return copy(image.convert("RGB").resize((400, 400 * image.height // image.width)))


def store(stored: Stored, picture: Image.Image, number: int) -> str:
    body = io.BytesIO()
    image_format = FORMATS[number % 2]
    picture.save(body, image_format)
    gray = grayscale(body.getvalue(), formats=FORMATS, max_pixels=1_000_000).image
    md5 = put_image(
        stored,
        body.getvalue(),
        png.encode(np.asarray(gray)),
        size=picture.size,
        image_format=image_format,
        url=f"https://h/{number}",
        number=number,
    )
    value = perceptual_hash(gray)
    if value is not None:
        stored.images[md5] |= {"perceptual_hash": Int64(value), "perceptual_bands": band_keys(value)}
    return md5


@pytest.fixture
def command(stored: Stored, mongo_url: str) -> Command:
    return Command(mongo_url)


def expected(names: dict[str, str]) -> set[str]:
    return {md5 for md5, name in names.items() if name.endswith(" itself") or name.startswith("blank ")}


@pytest.mark.filterwarnings("ignore:unclosed file")
def test_the_largest_of_each_group_is_in_the_archives(command: Command, names: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = command.succeed("--out", out, "--format", "webdataset", "--variant", "both", "--one-per-group")
    samples = webdataset.WebDataset([str(out / name) for name in result["shards"]], shardshuffle=False)
    exported = [sample["__key__"] for sample in samples]
    assert exported == sorted(expected(names))
    assert result["one_per_group"] == DEFAULT_DISTANCE
    assert result["images"] == result["images_written_now"] == len(exported) == len(PHOTOS) + len(BLANK)
    assert result["near_duplicates_left_out"] == len(names) - len(exported)
    lines = manifest(out)
    assert [line["md5"] for line in lines] == sorted(names)
    for line in lines:
        if line["md5"] in exported:
            assert line["near_duplicate_of"] is None
            assert line["file"] == line["gray_file"] == "00000.tar"
            continue
        assert line["file"] is line["gray_file"] is line["key"] is None
        assert names[line["near_duplicate_of"]] == f"{names[line['md5']].split()[0]} itself"
        assert line["width"] > 0
    assert json.loads((out / "export.json").read_text())["progress"]["left_out"] == len(names) - len(exported)


def test_a_task_has_all_its_lines_and_one_image_of_each_group(
    command: Command, stored: Stored, names: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("--task", stored.task_id, "--out", out, "--format", "folder", "--one-per-group", 6)
    command.succeed(*arguments)
    lines = manifest(out)
    assert [line["line"] for line in lines] == list(range(1, len(names) + 2))
    assert {line["md5"] for line in lines if line["file"]} == expected(names)
    for line in lines[:-1]:
        assert (line["file"] is None) == (line["near_duplicate_of"] is not None)
        assert line["outcome"] == "success"
    assert lines[-1]["near_duplicate_of"] is lines[-1]["md5"] is None
    assert len([name for name in tree(out) if name.startswith("images/")]) == len(expected(names))
    before = tree(out)
    assert command.succeed(*arguments)["images_written_now"] == 0
    assert tree(out) == before


def test_parquet_has_the_hash_that_groups_are_made_by(
    command: Command, stored: Stored, names: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command.succeed("--out", out, "--format", "parquet", "--one-per-group", 0)
    rows = pyarrow.dataset.dataset(out / "data").to_table(columns=["md5", "perceptual_hash"]).to_pylist()
    assert {row["md5"] for row in rows} >= expected(names)
    for row in rows:
        value = stored.images[row["md5"]].get("perceptual_hash")
        assert row["perceptual_hash"] == (None if value is None else f"{value:016x}")


class Interrupting:
    """A bar at which an export is interrupted, when it begins or ends."""

    def __init__(self, what: str, *, at_end: bool) -> None:
        self._what, self._at_end = what, at_end

    @contextmanager
    def __call__(self, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
        if what == self._what and not self._at_end:
            raise KeyboardInterrupt
        yield lambda _done: None
        if what == self._what:
            raise KeyboardInterrupt


@pytest.mark.parametrize("at_end", [False, True])
@pytest.mark.parametrize("what", ["choosing", "comparing", "exporting"])
def test_an_export_that_is_interrupted_leaves_the_same_out(
    stored: Stored, tmp_path: Path, what: str, at_end: bool
) -> None:
    plan = Plan.of(Query(), Format.WEBDATASET, Variant.GRAY, 2, one_per_group=DEFAULT_DISTANCE)
    export(stored.database, plan, tmp_path / "whole", bars_on(Console(file=io.StringIO())))
    with pytest.raises(KeyboardInterrupt):
        export(stored.database, plan, tmp_path / "broken", Interrupting(what, at_end=at_end))
    export(stored.database, plan, tmp_path / "broken", bars_on(Console(file=io.StringIO())))
    assert tree(tmp_path / "broken") == tree(tmp_path / "whole")


def test_without_the_option_every_image_is_exported(command: Command, names: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = command.succeed("--out", out, "--format", "jsonl")
    assert (result["images"], result["near_duplicates_left_out"]) == (len(names), 0)
    assert {line["near_duplicate_of"] for line in manifest(out)} == {None}


def test_another_distance_is_another_export(command: Command, stored: Stored, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command.succeed("--out", out, "--format", "jsonl", "--one-per-group")
    for other in ([], ["--one-per-group", 5]):
        code, sentence = command.refused("--out", out, "--format", "jsonl", *other)
        assert code == 2
        assert "has another export in it" in sentence


def test_a_distance_that_cannot_be_is_refused(command: Command, stored: Stored, tmp_path: Path) -> None:
    for distance in ("12", "near"):
        code, _output, errors = command.run("--out", tmp_path, "--format", "jsonl", f"--one-per-group={distance}")
        assert code == 2
        assert "--one-per-group" in errors
