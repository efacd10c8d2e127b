"""What the growth benchmark draws from its figures, and the photographs that it serves."""

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from bench.growth import origin, slow_host
from bench.growth.origin import HEAD, MISSING, Photographs
from bench.growth.report import Finding, Report, by_process, growth, show


def shown(report: Report, noise: float = 0.0) -> str:
    text = io.StringIO()
    show(Console(file=text, width=120), report, noise)
    return text.getvalue()


def test_memory_that_is_reached_early_and_kept_is_flat() -> None:
    assert growth([10, 40, 100, 101, 99, 100, 102, 98, 100]) == 1.0


def test_memory_that_goes_on_growing_is_not_flat() -> None:
    assert growth([float(100 + 10 * minute) for minute in range(30)]) > 1.1


def test_memory_that_was_given_back_for_a_while_is_flat() -> None:
    assert growth([60, 60, 60, 50, 50, 50, 60, 60, 60]) == 1.0


def test_a_single_high_sample_does_not_count() -> None:
    assert growth([100, 100, 100, 100, 100, 100, 100, 900, 100]) == 1.0


def test_too_few_samples_are_no_measurement() -> None:
    with pytest.raises(ValueError, match="fewer than three"):
        growth([1.0, 2.0])


@pytest.mark.parametrize(
    ("finding", "is_met"),
    [
        (Finding("loss", 0.1, 0.1), True),
        (Finding("loss", 0.11, 0.1), False),
        (Finding("throughput", 1.6, 1.6, at_most=False), True),
        (Finding("throughput", 1.5, 1.6, at_most=False), False),
    ],
)
def test_a_finding_is_met_up_to_its_bound(finding: Finding, is_met: bool) -> None:
    assert finding.is_met is is_met


def test_costs_are_laid_out_by_process_with_their_sums() -> None:
    columns, rows = by_process({"few": {"fetcher": 1.0, "mongod": 2.0}, "many": {"mongod": 3.0}})
    assert columns == ["", "few", "many"]
    assert rows == [["fetcher", 1.0, None], ["mongod", 2.0, 3.0], ["all of these", 3.0, 3.0]]


def test_a_report_is_printed_with_what_was_missed_and_written_with_its_bounds() -> None:
    report = Report(
        "title", ["", "one"], [["rate", 1_234.5], ["none", None]], [Finding("loss", 0.3, 0.1), Finding("lost", 0, 0)]
    )
    text = shown(report, noise=0.5)
    assert "1,234" in text
    assert "missed  loss: 0.3, at most 0.1" in text
    assert "met  lost: 0, at most 0" in text
    assert "noisy: something else took 50% of the cores" in text
    assert "noisy" not in shown(report)
    assert report.document() == {
        "title": "title",
        "rows": [{"": "rate", "one": 1_234.5}, {"": "none", "one": None}],
        "findings": [
            {"what": "loss", "reached": 0.3, "at_most": 0.1, "met": False},
            {"what": "lost", "reached": 0, "at_most": 0, "met": True},
        ],
    }


def test_every_mix_has_every_quick_line_and_at_most_the_slow_ones() -> None:
    quick, slow = [f"quick{n}" for n in range(100)], [f"slow{n}" for n in range(5)]
    assert slow_host.alone(quick, slow) == quick
    for mix in (slow_host.spread, slow_host.in_a_row):
        lines = mix(quick, slow)
        assert sorted(lines) == sorted([*quick, *slow])
        assert [line for line in lines if line in quick] == quick
    assert slow_host.spread(quick, slow)[20] == "slow0"


def test_every_url_of_the_origin_gives_other_bytes_of_the_same_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = Image.linear_gradient("L")
    picture.save(tmp_path / "0.jpg")
    monkeypatch.setattr(origin, "build", lambda _corpus: [tmp_path / "0.jpg"])
    photographs = Photographs()
    bodies = [photographs.answer(f"/small/0/{text}.jpg").partition(b"\r\n\r\n")[2] for text in ("one", "two", "one")]
    assert len({hashlib.sha256(body).digest() for body in bodies}) == 2
    assert photographs.answer("/small/0/one.jpg").startswith(HEAD % len(bodies[0]))
    with Image.open(io.BytesIO(bodies[0])) as image, Image.open(tmp_path / "0.jpg") as original:
        assert image.tobytes() == original.tobytes()
    for path in ("/small/1/one.jpg", "/small/0", "/other/0/one.jpg", "/small/0/one/gone.jpg"):
        assert photographs.answer(path) == MISSING
