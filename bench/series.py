"""Several runs of one tool on one corpus, and the figures that are drawn from them: medians."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.measure import Run
from bench.noise import NOISY
from bench.usage import MEBIBYTE

MEGABYTE = 1_000_000

FEW = 3
"""So many URLs are in a list that only measures how long a tool takes to start and to end."""


@dataclass(frozen=True)
class Series:
    """The runs, and those with a list of only a few."""

    runs: Sequence[Run]
    starts: Sequence[Run] = ()

    @property
    def rates(self) -> list[float]:
        """Images per second of each whole command."""
        return [run.images / run.seconds for run in self.runs]

    @property
    def rate(self) -> float:
        """Their median."""
        return median(self.rates)

    @property
    def start_seconds(self) -> float | None:
        """The whole command with only a few images."""
        return median(run.seconds for run in self.starts) if self.starts else None

    @property
    def steady_rate(self) -> float | None:
        """Images per second when the start is taken off: of the images that the longer list has more."""
        if self.start_seconds is None:
            return None
        more_seconds = median(run.seconds for run in self.runs) - self.start_seconds
        more_images = self.runs[0].images - self.starts[0].images
        return more_images / more_seconds if more_seconds > 0 else None

    @property
    def cpu_milliseconds(self) -> dict[str, float]:
        """CPU milliseconds per image of each process."""
        return {name: median(values) for name, values in self._each_cpu().items()}

    @property
    def least_cpu_milliseconds(self) -> dict[str, float]:
        """The same of the cheapest run of each: what disturbs a run only ever adds."""
        return {name: min(values) for name, values in self._each_cpu().items()}

    @property
    def total_cpu_milliseconds(self) -> float:
        """CPU milliseconds per image of all the processes."""
        return median(1000 * sum(run.cpu_seconds.values()) / run.images for run in self.runs)

    @property
    def peak_megabytes(self) -> float:
        """The most memory of any run."""
        return max(run.peak_mebibytes for run in self.runs) * MEBIBYTE / MEGABYTE

    @property
    def peak_without_servers_megabytes(self) -> float:
        """The same without RabbitMQ and mongod."""
        return max(run.peak_without_servers_mebibytes for run in self.runs) * MEBIBYTE / MEGABYTE

    @property
    def noisy(self) -> int:
        """How many of the runs were disturbed."""
        return sum(run.noise > NOISY for run in (*self.runs, *self.starts))

    def _each_cpu(self) -> dict[str, list[float]]:
        return {
            name: [1000 * run.cpu_seconds[name] / run.images for run in self.runs] for name in self.runs[0].cpu_seconds
        }


Measured = Mapping[str, Series]
"""By tool: what was measured on one corpus."""


@dataclass(frozen=True)
class Results:
    """Everything that was measured, by corpus and tool; and why other tools were not."""

    measured: Mapping[str, Measured]
    failures: Mapping[str, Mapping[str, str]]

    @property
    def series(self) -> list[Series]:
        """All of them."""
        return [series for tools in self.measured.values() for series in tools.values()]


def ratio(one: float | None, other: float | None) -> float | None:
    """Divide, when both are known."""
    return None if one is None or other is None else one / other
