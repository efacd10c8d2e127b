"""An export from its beginning, or from where an earlier run of it ended, to its end."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from common.database import Database, unavailability
from common.ledger import Ledger
from services.fetcher.export.directory import Directory, opened
from services.fetcher.export.errors import CannotExport
from services.fetcher.export.finding import Finder
from services.fetcher.export.forms import Form, form_of
from services.fetcher.export.manifest import write_manifest
from services.fetcher.export.near_duplicates import leave_out
from services.fetcher.export.pixels import PixelReader, Pixels
from services.fetcher.export.plan import Plan
from services.fetcher.export.selection import Task
from services.fetcher.export.snapshot import Snapshot, choosing, snapshot
from services.fetcher.export.state import SELECTION, STATE, Finished, State, read_state, write_state

Bar = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
"""Shows how far something is: called with what and its total, gives the function that is told how far."""


@dataclass(frozen=True, slots=True)
class Result:
    """How an export ended; `written` of its images were written by this run."""

    plan: Plan
    path: Path
    state: State
    written: int


def export(database: Database, plan: Plan, path: Path, bar: Bar) -> Result:
    """Export into the directory at `path`. Raises CannotExport, or Unavailable; then it may be run again."""
    form = form_of(plan)
    if not (path / STATE).exists():
        _check(database, plan)
    with opened(path) as directory:
        state = read_state(directory, plan)
        if state is not None and state.complete:
            return _again(directory, plan, state)
        if state is None:
            state = _choose(database, plan, directory, bar)
        if directory.size(SELECTION) is None:
            raise CannotExport(f"{path}: {SELECTION} is gone, so it cannot be continued: begin in another directory")
        with snapshot(directory, SELECTION) as chosen:
            written = 0
            if form is not None:
                exporting = _Exporting(PixelReader(database, plan), plan, directory, form, chosen)
                state = exporting.write_shards(state, bar)
                written = exporting.written
            write_manifest(directory, plan.selection, chosen, form)
        state = replace(state, complete=True)
        write_state(directory, plan, state)
        directory.remove(SELECTION)
        return Result(plan, path, state, written)


def _check(database: Database, plan: Plan) -> None:
    """Ask for the task, or whether the database is there at all, before a directory is made."""
    if not isinstance(plan.selection, Task):
        with unavailability():
            database.command("ping")
    elif Ledger(database).task(plan.selection.task_id) is None:
        raise CannotExport(f"there is no {plan.selection}")


def _again(directory: Directory, plan: Plan, state: State) -> Result:
    """Leave a complete export as it is, if it still is."""
    for shard in state.shards:
        if shard.file is not None and directory.size(shard.file) != shard.length_bytes:
            raise CannotExport(f"{directory.path / shard.file}: is not as it was written: begin in another directory")
    directory.remove(SELECTION)
    return Result(plan, directory.path, state, 0)


def _choose(database: Database, plan: Plan, directory: Directory, bar: Bar) -> State:
    """Freeze what is to be exported. Nothing is left behind when it turns out that it cannot be."""
    with choosing(directory, SELECTION) as chosen:
        finder = Finder(database, chosen, originals=plan.wants_originals)
        if isinstance(plan.selection, Task):
            task = Ledger(database).task(plan.selection.task_id)
            with bar("choosing", task["total"] if task else None) as told:
                finder.task(plan.selection.task_id, told)
        else:
            with unavailability():
                total = database["images"].estimated_document_count()
            with bar("choosing", total) as told:
                finder.query(plan.selection, told)
        if finder.without_original:
            raise CannotExport(
                f"{finder.without_original:,} of the images have no original stored (KEEP_ORIGINALS=false): "
                "--variant gray exports their gray versions"
            )
        if plan.one_per_group is not None:
            with bar("comparing", None) as told:
                leave_out(chosen, plan.one_per_group, told)
    with snapshot(directory, SELECTION) as frozen:
        state = State(frozen.count_images(), frozen.count_outcomes(), left_out=frozen.count_left_out())
    write_state(directory, plan, state)
    return state


class _Exporting:
    """Writes what is not written yet."""

    def __init__(self, reader: PixelReader, plan: Plan, directory: Directory, form: Form, chosen: Snapshot) -> None:
        self._reader = reader
        self._plan = plan
        self._directory = directory
        self._form = form
        self._chosen = chosen
        self.written = 0

    def write_shards(self, state: State, bar: Bar) -> State:
        """Write the shards in their order, and write down each that is finished."""
        finished = dict(enumerate(state.shards))
        shards: tuple[Finished, ...] = ()
        with bar("exporting", state.images) as told:
            for shard in self._plan.shards(state.images):
                images = self._chosen.images(shard.first, shard.count)
                earlier = finished.get(shard.number)
                if earlier is not None and self._form.is_whole(self._directory, earlier, images):
                    shards += (earlier,)
                    told(shard.first + shard.count)
                    continue
                images = self._chosen.images(shard.first, shard.count)
                batches = self._told(self._reader.read(images), shard.first, told)
                shards += (self._form.write(self._directory, shard, batches),)
                self.written += shard.count
                state = replace(state, shards=shards)
                write_state(self._directory, self._plan, state)
        return replace(state, shards=shards)

    @staticmethod
    def _told(batches: Iterator[list[Pixels]], done: int, told: Callable[[int], None]) -> Iterator[list[Pixels]]:
        for batch in batches:
            yield batch
            done += len(batch)
            told(done)
