"""One task of a thousand to a million items: publishing, what waits in the broker, the ledger, and a fetcher on it."""

import statistics
import time
from collections.abc import Callable
from uuid import UUID

import requests

from bench.corpus import SMALL
from bench.growth.origin import Origin, origin
from bench.growth.report import Finding, Report
from bench.growth.servers import Servers, servers
from bench.growth.stored import FETCHER
from bench.measure import measure
from bench.turns import Say
from bench.usage import MEBIBYTE, MemoryWatch, all_cpu_seconds
from common.database import Database
from common.ledger import Ledger
from common.tally import is_pending, tally
from deploy.local.ports import free_ports
from deploy.local.waiting import wait_until

LEAST = 1_000
TIMES = 5
FIRST, LAST = 100, 900
"""Between these of the images that are then fetched, it is measured: the fetcher has started, and even a short task has
not ended."""
FLAT = 1.25
STEADY = 0.8
QUICK_MILLISECONDS = 50.0

RATE = "lines per second"
FETCHING = "CPU ms per image fetched: all of these"
LOOKS = "ms: is anything pending"
PAGE = "ms: page of its items"
TALLY = "ms: its tally"
Figures = dict[str, float]


def run(say: Say, *, most: int) -> Report:
    """Measure tasks of a thousand items, ten thousand and so on."""
    measured: dict[int, Figures] = {}
    with origin() as photographs:
        items = LEAST
        while items <= most:
            measured[items] = _task(photographs, items)
            say(f"task: {items:,} items: {measured[items][RATE]:,.0f} lines/s, {measured[items][FETCHING]:.2f} CPU ms")
            items *= 10
    return _report(measured)


def _task(photographs: Origin, items: int) -> Figures:
    port = free_ports(1)[0]
    with servers(API_PORT=str(port), API_REQUESTS_PER_MINUTE="0", LOG_LEVEL="WARNING") as ours:
        figures = _publishing(ours, photographs, items)
        with ours.database() as database, ours.services(api=1):
            figures |= _ledger(database, f"http://127.0.0.1:{port}", items)
        ours.stop_broker()
        figures["s: RabbitMQ's next start"] = ours.start_broker()
        figures["s: until the queue is there"] = _queue_is_back(ours, items)
        figures |= _fetching(ours)
    return figures


def _publishing(ours: Servers, photographs: Origin, items: int) -> Figures:
    urls = ours.folder / "urls.txt"
    with urls.open("w", encoding="utf-8") as file:
        file.writelines(f"{url}\n" for url in photographs.urls(SMALL.name, items))
    command = [FETCHER, "publish", str(urls)]
    with ours.queues() as queues:
        with MemoryWatch(ours.processes) as memory:
            done = measure(command, ours.environment, ours.processes, images=items, log=ours.folder / "publish.log")
        waiting = queues.waiting("fetcher")
    if waiting != items:
        raise SystemExit(f"bench: {waiting:,} of {items:,} messages wait")
    return {
        RATE: items / done.seconds,
        **{f"CPU ms per 1,000 lines: {name}": 1e6 * cpu / items for name, cpu in done.cpu_seconds.items()},
        "MB of the command, peak": done.peak_without_servers_mebibytes,
        "MB of RabbitMQ, peak": memory.peaks["rabbitmq"],
        "MB of RabbitMQ's files": ours.broker_disk_bytes / MEBIBYTE,
        "files of its logs": float(ours.broker_segments),
    }


def _ledger(database: Database, api: str, items: int) -> Figures:
    task = database["tasks"].find_one({}, {"_id": 1}) or {}
    task_id: UUID = task["_id"]
    ledger = Ledger(database)
    with requests.Session() as session:

        def page(path: str) -> Callable[[], object]:
            return lambda: session.get(f"{api}/url_tasks/{task_id}{path}", timeout=60).raise_for_status()

        wait_until(lambda: _answers(api), 30, "the API")
        middle = f"/items?format=json&limit=50&cursor={items // 2}"
        return {
            LOOKS: _milliseconds(lambda: is_pending(database, task_id)),
            "ms: 1,000 that are pending": _milliseconds(lambda: next(ledger.pending(task_id))),
            TALLY: _milliseconds(lambda: tally(database, task_id)),
            "ms: page of the task": _milliseconds(page("?format=json")),
            PAGE: _milliseconds(page(middle)),
            "ms: page of those pending": _milliseconds(page(f"{middle}&outcome=pending")),
        }


def _answers(api: str) -> bool:
    try:
        return requests.get(f"{api}/url_tasks?limit=1&format=json", timeout=60).ok
    except requests.ConnectionError:
        return False


def _milliseconds(ask: Callable[[], object]) -> float:
    ask()
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - began)
    return 1_000 * statistics.median(seconds)


def _queue_is_back(ours: Servers, items: int) -> float:
    began = time.monotonic()
    with ours.queues() as queues:
        wait_until(lambda: queues.waiting("fetcher") == items, 300, "the queue")
    return time.monotonic() - began


def _fetching(ours: Servers) -> Figures:
    """Give the CPU milliseconds per image of a fetcher on a part of what waits; nothing takes what it gives."""
    with ours.services(fetcher=1) as services, ours.queues() as queues:
        processes = {**services, **ours.processes}

        def fetched_at_least(count: int) -> int:
            wait_until(lambda: queues.waiting("hasher") >= count, 300, f"image {count}")
            return queues.waiting("hasher")

        first, before = fetched_at_least(FIRST), all_cpu_seconds(processes)
        last, after = fetched_at_least(LAST), all_cpu_seconds(processes)
    costs = {name: 1_000 * (after[name] - before[name]) / (last - first) for name in processes}
    return {
        **{f"CPU ms per image fetched: {name}": cost for name, cost in costs.items()},
        FETCHING: sum(costs.values()),
    }


def _report(measured: dict[int, Figures]) -> Report:
    sizes = sorted(measured)
    shortest, longest = measured[sizes[0]], measured[sizes[-1]]
    # With fewer lines, most of the time is the command's start.
    steady = measured[sizes[len(sizes) // 2]]
    names = list(longest)
    return Report(
        "one task, by its items",
        ["", *(f"{size:,}" for size in sizes)],
        [[name, *(measured[size][name] for size in sizes)] for name in names],
        [
            Finding(
                "publish rate of the longest task, times that of a middle one",
                longest[RATE] / steady[RATE],
                STEADY,
                at_most=False,
            ),
            Finding(
                "CPU time per image fetched from the longest queue, times that from the shortest",
                longest[FETCHING] / shortest[FETCHING],
                FLAT,
            ),
            Finding("ms: is anything pending, longest task", longest[LOOKS], QUICK_MILLISECONDS),
            Finding("ms: page of its items, longest task", longest[PAGE], QUICK_MILLISECONDS),
            Finding(
                "tally per item of the longest task, times that of a middle one",
                longest[TALLY] / sizes[-1] / (steady[TALLY] / sizes[len(sizes) // 2]),
                FLAT,
            ),
        ],
    )
