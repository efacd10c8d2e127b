"""How far an export is, in a small file that is always whole: `export.json`."""

import json
from dataclasses import dataclass
from typing import Any

from services.fetcher.export.directory import PART, Directory
from services.fetcher.export.errors import CannotExport
from services.fetcher.export.plan import Plan

STATE = "export.json"
SELECTION = ".selection.sqlite3"
LEFT_BEHIND = {STATE + PART, SELECTION, SELECTION + PART}
"""What an export may leave that was killed before it had chosen its images. Nothing depends on it."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A shard whose images are all written. `file` is None when they are files of their own."""

    file: str | None
    images: int
    length_bytes: int


@dataclass(frozen=True, slots=True)
class State:
    """What was chosen (images; a task's lines by outcome, as they stood then), and the shards by number.

    `left_out` counts the near-duplicates of images.
    """

    images: int
    outcomes: dict[str, int]
    shards: tuple[Finished, ...] = ()
    complete: bool = False
    left_out: int = 0

    @property
    def length_bytes(self) -> int:
        """Add up what the finished shards hold."""
        return sum(shard.length_bytes for shard in self.shards)


def read_state(directory: Directory, plan: Plan) -> State | None:
    """Give how far the export in the directory is, None when there is none.

    Raises CannotExport when it is another one, or when the directory has other things in it.
    """
    try:
        text = (directory.path / STATE).read_text("utf-8")
    except FileNotFoundError:
        if directory.names() - LEFT_BEHIND:
            raise CannotExport(f"{directory.path}: is neither empty nor an export") from None
        return None
    try:
        document = json.loads(text)
        found, progress = document["plan"], document["progress"]
        shards = tuple(
            Finished(shard.get("file"), shard["images"], shard["length_bytes"]) for shard in progress.pop("shards")
        )
        state = State(**progress, shards=shards)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise CannotExport(f"{directory.path / STATE}: cannot be read as the state of an export") from error
    if found != plan.as_json():
        raise CannotExport(
            f"{directory.path}: has another export in it, {_told(found)}; this is {_told(plan.as_json())}"
        )
    return state


def write_state(directory: Directory, plan: Plan, state: State) -> None:
    """Write down how far the export is."""
    shards = [_written(shard) for shard in state.shards]
    progress = {
        "images": state.images,
        "left_out": state.left_out,
        "outcomes": state.outcomes,
        "complete": state.complete,
        "shards": shards,
    }
    with directory.replacing(STATE) as file:
        file.write(json.dumps({"plan": plan.as_json(), "progress": progress}, indent=1).encode() + b"\n")


def _written(shard: Finished) -> dict[str, Any]:
    counts = {"images": shard.images, "length_bytes": shard.length_bytes}
    return {"file": shard.file, **counts} if shard.file else counts


def _told(plan: dict[str, Any]) -> str:
    """Say a plan in a few words, alike for plans that are alike."""
    return json.dumps({name: value for name, value in plan.items() if name != "export"})[:400]
