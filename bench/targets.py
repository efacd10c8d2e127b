"""What is aimed at, on two cores: ratios between medians of runs in turn, and memory."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.corpus import LARGE, SMALL
from bench.measure import COMMAND
from bench.series import Measured, Series, ratio
from bench.stack import SERVERS
from bench.tools import LIMIT, OURS

CORES = 2
Figure = Callable[[Measured], float | None]
"""None when something that it takes was not measured."""


@dataclass(frozen=True)
class Target:
    """A figure, with its bound for each corpus, and what the figure could be at best."""

    what: str
    bounds: dict[str, float]
    figure: Figure
    best: Figure = lambda _: None
    at_most: bool = False

    def is_met(self, corpus: str, figure: float) -> bool:
        """Compare."""
        bound = self.bounds[corpus]
        return figure <= bound if self.at_most else figure >= bound


def best_rate(measured: Measured) -> float | None:
    """Images per second if our own processes cost no more than the bare steps, and the servers what they do cost.

    Whatever is done about the workers, they fetch, hash, decode, gray and encode, which is what the limit does; and
    RabbitMQ and mongod carry and keep what they are given. With both cores busy all the time it is no faster than this.
    """
    if not {OURS, LIMIT} <= measured.keys():
        return None
    costs = measured[OURS].cpu_milliseconds
    bare = measured[LIMIT].cpu_milliseconds[COMMAND]
    return 1000 * CORES / (bare + sum(costs.get(name, 0.0) for name in SERVERS))


def _times(what: str, other: str, side: Callable[[Series], float | None], bounds: dict[str, float]) -> Target:
    """Compare a side of ours, or the best rate, with the same side of another."""

    def divided(by: Measured, rate: float | None) -> float | None:
        return ratio(rate, side(by[other])) if other in by else None

    return Target(
        what,
        bounds,
        lambda measured: divided(measured, side(measured[OURS])) if OURS in measured else None,
        lambda measured: divided(measured, best_rate(measured)),
    )


def _whole(series: Series) -> float | None:
    return series.rate


def _steady(series: Series) -> float | None:
    return series.steady_rate


def _memory(measured: Measured) -> float | None:
    return measured[OURS].peak_without_servers_megabytes if OURS in measured else None


def _bounds(small: float, large: float) -> dict[str, float]:
    return {SMALL.name: small, LARGE.name: large}


TARGETS = (
    _times("times img2dataset, whole command", "img2dataset", _whole, _bounds(2.5, 1.6)),
    _times("times img2dataset, start taken off both", "img2dataset", _steady, _bounds(1.0, 0.8)),
    _times("times Scrapy, whole command", "scrapy", _whole, _bounds(4, 1.9)),
    _times("times Celery, whole command", "celery", _whole, _bounds(10, 12)),
    _times("of the limit, whole command", LIMIT, _whole, _bounds(0.45, 0.7)),
    _times("of the limit, start taken off both", LIMIT, _steady, _bounds(0.45, 0.7)),
    Target("peak MB of all our services", _bounds(600, 900), _memory, at_most=True),
)
