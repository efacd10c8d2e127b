"""What a host that answers after two seconds takes from quick ones in the same list."""

import statistics
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import chain

from bench.corpus import SMALL
from bench.growth.origin import QUICK, SLOW, Origin, origin
from bench.growth.report import Finding, Report
from bench.growth.servers import Servers, servers
from bench.growth.stored import FETCHER
from bench.measure import measure
from bench.rig import WORKERS
from bench.turns import Say

QUICK_URLS = 2_000
SLOW_URLS = 100
RUNS = 3
MOST_LOSS = 0.1

Mix = Callable[[Sequence[str], Sequence[str]], list[str]]


def alone(quick: Sequence[str], _slow: Sequence[str]) -> list[str]:
    """Leave the slow host out."""
    return list(quick)


def spread(quick: Sequence[str], slow: Sequence[str]) -> list[str]:
    """Give a slow one after every so many quick ones."""
    each = len(quick) // len(slow)
    return list(chain.from_iterable((*quick[each * n : each * (n + 1)], one) for n, one in enumerate(slow)))


def in_a_row(quick: Sequence[str], slow: Sequence[str]) -> list[str]:
    """Put all slow ones behind the first tenth of the quick ones."""
    first = len(quick) // 10
    return [*quick[:first], *slow, *quick[first:]]


MIXES: dict[str, Mix] = {"none": alone, "spread": spread, "in a row": in_a_row}


def run(say: Say) -> Report:
    """Put lists with and without the slow host through, in turn."""
    rates: dict[str, list[float]] = {name: [] for name in MIXES}
    with origin() as photographs, servers() as ours, ours.services(**WORKERS):
        _rate(ours, photographs, alone)
        for _ in range(RUNS):
            for name, mix in MIXES.items():
                rates[name].append(_rate(ours, photographs, mix))
                say(f"slow-host: {name}: {rates[name][-1]:,.0f} quick images/s")
    return _report({name: statistics.median(measured) for name, measured in rates.items()})


def _rate(ours: Servers, photographs: Origin, mix: Mix) -> float:
    """Give the quick host's images per second, from its first outcome to its last."""
    ours.empty()
    quick = list(photographs.urls(SMALL.name, QUICK_URLS, QUICK))
    lines = mix(quick, list(photographs.urls(SMALL.name, SLOW_URLS, SLOW)))
    urls = ours.folder / "urls.txt"
    urls.write_text("".join(f"{url}\n" for url in lines), "utf-8")
    command = [FETCHER, "publish", str(urls), "--wait", "--json"]
    measure(command, ours.environment, ours.processes, images=len(lines), log=ours.folder / "publish.log")
    with ours.database() as database:
        ended = database["items"].distinct("finished_at", {"host": QUICK, "outcome": "success"})
        count = database["items"].count_documents({"host": QUICK, "outcome": "success"})
    if count != QUICK_URLS:
        raise SystemExit(f"bench: {count:,} of {QUICK_URLS:,} quick images were stored")
    return count / _span_seconds(ended)


def _span_seconds(moments: Sequence[datetime]) -> float:
    return (max(moments) - min(moments)).total_seconds()


def _report(rates: dict[str, float]) -> Report:
    return Report(
        f"quick images per second, of {QUICK_URLS:,}, with {SLOW_URLS} of a slow host; medians of {RUNS} runs in turn",
        ["", *rates],
        [["quick images per second", *rates.values()]],
        [
            Finding(f"loss of the quick host, slow ones {name}", 1 - rate / rates["none"], MOST_LOSS)
            for name, rate in rates.items()
            if name != "none"
        ],
    )
