"""What happens while a stage stands still: how much is kept for it, and whether anything is lost."""

import json
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.corpus import LARGE, build
from bench.growth.origin import origin
from bench.growth.report import Finding, Report
from bench.growth.servers import Queues, servers
from bench.growth.stored import FETCHER
from bench.rig import WORKERS
from bench.turns import Say
from common.database import Database
from deploy.local.waiting import wait_until

IMAGES = 600
QUEUE_MAX_BYTES = 50_000_000
SLACK = 1.1
"""The broker refuses once the bound is passed, and what is on its way then still comes."""
STILL_SECONDS = 30.0
LOOK_SECONDS = 2.0
END_SECONDS = 300.0
QUEUE = "grayscaler"


@dataclass(frozen=True)
class Look:
    """One moment while the stage stands still."""

    seconds: float
    queue_bytes: int
    fetched: int


def run(say: Say) -> Report:
    """Stop the grayscalers, look at their queue, let them go on and look at the ledger."""
    body_bytes = statistics.mean(path.stat().st_size for path in build(LARGE))
    with (
        origin() as photographs,
        servers(QUEUE_MAX_BYTES=str(QUEUE_MAX_BYTES)) as ours,
        ours.services(**WORKERS) as services,
        ours.queues() as queues,
        ours.database() as database,
    ):
        urls = ours.folder / "urls.txt"
        urls.write_text("".join(f"{url}\n" for url in photographs.urls(LARGE.name, IMAGES)), "utf-8")
        wait_until(lambda: queues.consumers(QUEUE) == WORKERS[QUEUE], 30, "the grayscalers")
        standing = [process for name, process in services.items() if name.startswith(QUEUE)]
        for process in standing:
            process.suspend()
        publishing = subprocess.Popen(  # noqa: S603 - ours
            [FETCHER, "publish", str(urls), "--wait", "--json"], env=ours.environment, stdout=subprocess.PIPE
        )
        looks = _look_on(queues, database, body_bytes, say)
        for process in standing:
            process.resume()
        output, _ = publishing.communicate(timeout=END_SECONDS)
        stored = database["grays"].count_documents({})
    return _report(looks, json.loads(output), stored)


def _look_on(queues: Queues, database: Database, body_bytes: float, say: Say) -> list[Look]:
    """Look at the queue, and at how many originals the hasher has stored, which is how many were fetched."""
    began = time.monotonic()
    looks = []
    while (now := time.monotonic() - began) < STILL_SECONDS:
        looks.append(
            Look(now, round(queues.waiting(QUEUE) * body_bytes), database["originals"].estimated_document_count())
        )
        say(f"back-pressure: {now:.0f} s: {looks[-1].queue_bytes / 1e6:.0f} MB wait, {looks[-1].fetched} fetched")
        time.sleep(LOOK_SECONDS)
    return looks


def _report(looks: Sequence[Look], ledger: Mapping[str, int], stored: int) -> Report:
    most_bytes = max(look.queue_bytes for look in looks)
    late = [look for look in looks if look.seconds > STILL_SECONDS / 2]
    return Report(
        f"a queue of at most {QUEUE_MAX_BYTES / 1e6:.0f} MB, {STILL_SECONDS:.0f} s without its consumers",
        ["", "figure"],
        [
            ["images", IMAGES],
            ["MB in the queue, most", most_bytes / 1e6],
            ["images fetched meanwhile", looks[-1].fetched],
            ["images with an outcome, in the end", ledger["total"] - ledger["pending"]],
            ["images stored, in the end", stored],
        ],
        [
            Finding("bytes in the queue, times its bound", most_bytes / QUEUE_MAX_BYTES, SLACK),
            Finding("images fetched in the second half, of all", (late[-1].fetched - late[0].fetched) / IMAGES, 0.05),
            Finding("images lost", IMAGES - min(ledger["success"], stored), 0),
        ],
    )
