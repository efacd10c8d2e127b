"""What is aimed at, on two cores: ratios between medians of runs in turn, and memory."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.corpus import LARGE, SMALL
from bench.series import Measured, Series, ratio
from bench.tools import LIMIT, OURS


@dataclass(frozen=True)
class Target:
    """A figure, with its bound for each corpus."""

    what: str
    bounds: dict[str, float]
    figure: Callable[[Measured], float | None]
    """None when one of its sides was not measured."""
    at_most: bool = False

    def is_met(self, corpus: str, figure: float) -> bool:
        """Compare."""
        bound = self.bounds[corpus]
        return figure <= bound if self.at_most else figure >= bound


def _compared(other: str, side: Callable[[Series], float | None]) -> Callable[[Measured], float | None]:
    return lambda measured: (
        ratio(side(measured[OURS]), side(measured[other])) if {OURS, other} <= measured.keys() else None
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
    Target("times img2dataset, whole command", _bounds(2.5, 1.6), _compared("img2dataset", _whole)),
    Target("times img2dataset, start taken off both", _bounds(1.0, 0.8), _compared("img2dataset", _steady)),
    Target("times Scrapy, whole command", _bounds(4, 1.9), _compared("scrapy", _whole)),
    Target("times Celery, whole command", _bounds(10, 12), _compared("celery", _whole)),
    Target("of the limit, whole command", _bounds(0.45, 0.7), _compared(LIMIT, _whole)),
    Target("of the limit, start taken off both", _bounds(0.45, 0.7), _compared(LIMIT, _steady)),
    Target("peak MB of all our services", _bounds(600, 900), _memory, at_most=True),
)
