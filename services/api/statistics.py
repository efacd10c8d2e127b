"""Statistics of a gray image, from its histogram: how many of its pixels have each of the 256 levels.

What comes out is what numpy gives for the pixels, to the last bit; only the standard deviation, which numpy rounds at
every step, is the exact one, rounded once.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import accumulate

Counts = Sequence[int]
Function = Callable[[Counts], int | float]

PERCENTILE = re.compile(r"p([0-9]{1,3}(?:\.[0-9]{1,20})?)")
"""Twenty decimals hold every number that a program prints; [0-9] is ASCII only, \\d is not."""


def pixels(counts: Counts) -> int:
    """Count the pixels."""
    return sum(counts)


def minimum(counts: Counts) -> int:
    """Give the darkest level."""
    return next(level for level, count in enumerate(counts) if count)


def maximum(counts: Counts) -> int:
    """Give the brightest level."""
    return max(level for level, count in enumerate(counts) if count)


def mean(counts: Counts) -> float:
    """Give the mean: the quotient of two whole numbers, rounded once."""
    return _total(counts) / pixels(counts)


def standard_deviation(counts: Counts) -> float:
    """Give the standard deviation of the population (divided by n, as numpy's `std` is), rounded once."""
    total, count = _total(counts), pixels(counts)
    spread = count * sum(count * level * level for level, count in enumerate(counts)) - total * total
    # sqrt(spread) / count. With 256 more binary digits the cut root lies on the same side of every tie as the root.
    return math.isqrt(spread << 512) / (count << 256)


def median(counts: Counts) -> float:
    """Give the middle level, or the mean of the two in the middle."""
    return percentile(counts, 50)


def percentile(counts: Counts, q: float) -> float:
    """Give the level that q percent (0 to 100) of the pixels do not exceed, interpolated linearly.

    It is method 7 of Hyndman and Fan, 1996, in the very operations of `numpy.percentile`.
    """
    cumulative = list(accumulate(counts))
    last = cumulative[-1] - 1
    position = last * (q / 100)
    if position >= last:
        return float(maximum(counts))
    index = math.floor(position)
    below, above = bisect_right(cumulative, index), bisect_right(cumulative, index + 1)
    weight = position - index
    # From the nearer of the two levels, as numpy does: at a weight of 1 this is the upper one exactly.
    if weight >= 0.5:
        return above - (above - below) * (1 - weight)
    return below + (above - below) * weight


FUNCTIONS: Mapping[str, Function] = {
    "min": minimum,
    "max": maximum,
    "mean": mean,
    "median": median,
    "std": standard_deviation,
}
COMMON_PERCENTILES = (1, 5, 10, 25, 75, 90, 95, 99)
SUMMARY: Mapping[str, Function] = {
    **FUNCTIONS,
    **{f"p{q}": partial(percentile, q=q) for q in COMMON_PERCENTILES},
}
"""What is told when nobody asks for one."""
MEANINGS: Mapping[str, str] = {
    "min": "the darkest level",
    "max": "the brightest level",
    "mean": "the mean of all levels",
    "median": "the level in the middle, or the mean of the two that are",
    "std": "the standard deviation of all levels",
    **{f"p{q}": f"{q}% of the pixels are of this level or darker" for q in COMMON_PERCENTILES},
}


def read_function(name: str) -> Function | None:
    """Give the function of this name, in lower case: one of FUNCTIONS, or p0 to p100, such as p99.9."""
    found = PERCENTILE.fullmatch(name)
    if found is None:
        return FUNCTIONS.get(name)
    # Compared as it is written: as a float, a number a little over 100 would be 100.
    return partial(percentile, q=float(found[1])) if Decimal(found[1]) <= 100 else None


def summary(counts: Counts) -> dict[str, int | float]:
    """Give the usual statistics by name."""
    return {name: function(counts) for name, function in SUMMARY.items()}


def _total(counts: Counts) -> int:
    return sum(level * count for level, count in enumerate(counts))
