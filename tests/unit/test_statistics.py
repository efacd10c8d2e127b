"""Statistics of a histogram are those of the pixels that it counts."""

import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.api.statistics import (
    FUNCTIONS,
    SUMMARY,
    maximum,
    mean,
    median,
    minimum,
    percentile,
    pixels,
    read_function,
    standard_deviation,
    summary,
)

LEVELS = range(256)
MOST_PIXELS = 40_000_000

few_pixels = st.lists(st.integers(0, 255), min_size=1, max_size=9)
histograms = st.one_of(
    few_pixels.map(lambda levels: tuple(np.bincount(levels, minlength=256).tolist())),
    st.dictionaries(st.integers(0, 255), st.integers(1, 5_000), min_size=1, max_size=256).map(
        lambda counted: tuple(counted.get(level, 0) for level in LEVELS)
    ),
)
percents = st.one_of(
    st.sampled_from([0, 100, 50, 25, 75, 99.9, 33.333333, 1e-20, 5e-324, 99.99999999999999]),
    st.integers(0, 100),
    st.floats(0, 100, allow_subnormal=True),
)


def counted(pixels_of_levels: dict[int, int]) -> tuple[int, ...]:
    return tuple(pixels_of_levels.get(level, 0) for level in LEVELS)


def pixels_of(counts: tuple[int, ...]) -> np.ndarray:
    return np.repeat(np.arange(256, dtype=np.uint8), counts)


def same_bits(ours: float, theirs: np.floating) -> bool:
    return isinstance(ours, float) and ours.hex() == float(theirs).hex()


@settings(max_examples=1_000)
@given(histograms, percents)
@example(counted({7: 1}), 0)
@example(counted({7: 1}), 33.3)
@example(counted({0: 1, 255: 1}), 50)
@example(counted({0: 1, 255: 1}), 99.99999999999999)
def test_percentiles_are_those_of_numpy_to_the_last_bit(counts, q):
    assert same_bits(percentile(counts, q), np.percentile(pixels_of(counts), q))


@settings(max_examples=300)
@given(histograms)
def test_the_other_functions_are_those_of_numpy(counts):
    values = pixels_of(counts)
    assert (minimum(counts), maximum(counts), pixels(counts)) == (values.min(), values.max(), values.size)
    assert same_bits(median(counts), np.median(values))
    assert same_bits(mean(counts), np.mean(values))
    assert math.isclose(standard_deviation(counts), np.std(values), rel_tol=1e-12, abs_tol=1e-12)


@settings(max_examples=100)
@given(histograms.filter(lambda counts: sum(counts) < 5_000))
def test_mean_and_standard_deviation_are_exact_and_rounded_once(counts):
    values = [Fraction(level) for level in pixels_of(counts).tolist()]
    assert mean(counts) == float(statistics.mean(values))
    assert standard_deviation(counts) == statistics.pstdev(values)


@pytest.mark.parametrize("seed", range(2))
def test_the_largest_images_are_no_exception(seed):
    chance = np.random.default_rng(seed)
    share = chance.dirichlet(np.full(256, 0.05)) * MOST_PIXELS
    counts = share.astype(int)
    counts[chance.integers(256)] += MOST_PIXELS - counts.sum()
    values = pixels_of(tuple(counts.tolist()))
    assert values.size == MOST_PIXELS
    percents = [0, 0.1, 33.333333, 50, 99.9, 99.9999999, 100, *chance.uniform(0, 100, 3).tolist()]
    ours = [percentile(counts.tolist(), q) for q in percents]
    theirs = np.percentile(values, percents)
    assert all(same_bits(mine, other) for mine, other in zip(ours, theirs, strict=True))
    assert mean(counts.tolist()) == float(Fraction(int(values.sum(dtype=np.int64)), MOST_PIXELS))


def test_an_image_of_one_level_has_no_spread_however_large():
    counts = counted({200: 2**32 - 1})
    assert {function(counts) for name, function in SUMMARY.items() if name != "std"} == {200}
    assert standard_deviation(counts) == 0


@pytest.mark.parametrize("q", ["0", "100", "50", "99.9", "007", "100.000", "0.30000000000000004", "33.333333"])
def test_a_percentile_is_written_with_decimals_or_without(q):
    counts = counted({0: 3, 100: 2, 255: 7})
    function = read_function(f"p{q}")
    assert function is not None
    assert same_bits(function(counts), np.percentile(pixels_of(counts), float(q)))


@pytest.mark.parametrize(
    "name",
    [
        *("", "p", "p101", "p100.1", "p100.00000000000000001", "p-1", "p+1", "p1e2", "pnan", "pinf", "p1_0", "p 1"),
        *("p1 ", "p1\n", "p.5", "p5.", "p1,5", "p٣", "p1.٣", "p²", "p0x10", "pp1", "P50", "Min", "MEAN", "mode"),
        *(f"p1.{'3' * 400}", f"p{'0' * 400}1", f"p{'9' * 400}", "__class__"),
    ],
)
def test_nothing_else_is_a_function(name):
    assert read_function(name) is None


def test_the_functions_go_by_the_names_that_numpy_gives_them():
    assert set(FUNCTIONS) == {"min", "max", "mean", "median", "std"}
    counts = counted({0: 3, 100: 2, 255: 7})
    for name, value in summary(counts).items():
        function = read_function(name)
        assert function is not None
        assert function(counts) == value
