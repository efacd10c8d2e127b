"""What is drawn from runs: rates, ratios, targets, the tables, the record and the chart."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from bench import chart, record
from bench.chart import draw
from bench.measure import COMMAND, Run
from bench.report import show
from bench.series import Results, Series, ratio
from bench.targets import TARGETS, best_rate
from bench.tools import LIMIT, OURS, TOOLS

VERSIONS = {"img2dataset": "1.47.0", "scrapy": "2.19.0", "celery": "5.7.0"}


def run(images: int, seconds: float, *, noise: float = 0.0, peak: float = 100.0, **cpu: float) -> Run:
    return Run(images, seconds, {COMMAND: 1.0, **cpu}, peak + 500, peak, noise)


def series(images: int, *seconds: float, start: float = 1.0, **more: float) -> Series:
    return Series([run(images, each, **more) for each in seconds], [run(3, start) for _ in seconds])


SMALL = {
    OURS: series(2_000, 4.0, 5.0, 8.0, fetcher=4.0, mongod=2.0),
    "img2dataset": series(2_000, 16.0, 15.0, 14.0, start=6.0),
    "scrapy": series(2_000, 20.0, 20.0, 20.0),
    "celery": series(500, 10.0, 20.0, 10.0, worker=9.0),
    LIMIT: series(2_000, 2.5, 2.5, 2.5, start=0.5),
}
LARGE = {OURS: series(400, 8.0, 8.0, 8.0, peak=1_000.0, noise=0.11), "scrapy": series(400, 10.0, 10.0, 10.0)}
RESULTS = Results({"small": SMALL, "large": LARGE}, {"small": {"script": "cannot be installed: why"}, "large": {}})


def reached(what: str, corpus: str) -> tuple[float | None, bool | None]:
    target = next(target for target in TARGETS if target.what == what)
    figure = target.figure(RESULTS.measured[corpus])
    return figure, None if figure is None else target.is_met(corpus, figure)


def shown() -> str:
    text = io.StringIO()
    Console(file=text, width=160).print("")
    show(Console(file=text, width=160), RESULTS)
    return text.getvalue()


def cells(what: str) -> list[str]:
    """Give the cells of the first row of this name."""
    line = next(line for line in shown().splitlines() if line.startswith("│") and what in line)
    return [cell.strip() for cell in line.strip("│").split("│")][1:]


def test_the_rate_is_the_median_of_the_whole_commands() -> None:
    assert SMALL[OURS].rates == [500.0, 400.0, 250.0]
    assert SMALL[OURS].rate == 400.0


def test_the_start_is_taken_off_with_its_own_images() -> None:
    assert SMALL[OURS].steady_rate == pytest.approx(1_997 / (5.0 - 1.0))


def test_no_rate_is_told_when_a_start_took_longer_than_the_whole_or_was_not_measured() -> None:
    assert series(2_000, 4.0, start=4.0).steady_rate is None
    assert Series([run(2_000, 4.0)]).steady_rate is None
    assert ratio(None, 1.0) is ratio(1.0, None) is None


def test_cpu_time_is_told_by_process_and_image() -> None:
    assert SMALL[OURS].cpu_milliseconds == {COMMAND: 0.5, "fetcher": 2.0, "mongod": 1.0}
    assert SMALL[OURS].total_cpu_milliseconds == 3.5


def test_the_cheapest_run_of_each_process_is_found() -> None:
    both = Series([run(1_000, 1.0, fetcher=3.0, hasher=1.0), run(1_000, 1.0, fetcher=2.0, hasher=4.0)])
    assert both.least_cpu_milliseconds == {COMMAND: 1.0, "fetcher": 2.0, "hasher": 1.0}


def test_targets_compare_medians() -> None:
    assert reached("times img2dataset, whole command", "small") == (3.0, True)
    assert reached("times img2dataset, start taken off both", "small") == (pytest.approx(9 / 4), True)
    assert reached("times Celery, whole command", "small") == (8.0, False)
    assert reached("of the limit, whole command", "small") == (0.5, True)
    assert reached("times Scrapy, whole command", "large") == (1.25, False)


def test_at_best_our_processes_cost_what_the_bare_steps_do_and_the_servers_what_they_cost_now() -> None:
    assert SMALL[LIMIT].cpu_milliseconds[COMMAND] == 0.5
    assert SMALL[OURS].cpu_milliseconds["mongod"] == 1.0
    assert best_rate(SMALL) == pytest.approx(2 / 0.0015)
    assert best_rate(LARGE) is None


def test_memory_is_met_by_little_of_it_in_megabytes_without_the_servers() -> None:
    assert reached("peak MB of all our services", "small") == (pytest.approx(104.86, abs=0.01), True)
    assert reached("peak MB of all our services", "large") == (pytest.approx(1_048.58, abs=0.01), False)


def test_nothing_is_said_of_what_was_not_measured() -> None:
    assert reached("of the limit, whole command", "large") == (None, None)


def test_the_table_has_a_column_for_each_tool_and_says_why_one_is_empty() -> None:
    assert cells("images per second, whole command") == ["400", "133", "100", "50", "800", "–"]
    assert cells("  least") == ["250", "125", "100", "25", "800", "–"]
    assert cells("Graymill is faster, whole command") == ["–", "3.00 x", "4.00 x", "8.00 x", "0.50 x", "–"]
    assert cells("of the limit, whole command") == ["0.50", "0.17", "0.12", "0.06", "1.00", "–"]
    assert cells("CPU ms per image: worker") == ["–", "–", "–", "18.00", "–", "–"]
    assert "script: not measured: cannot be installed: why" in shown()


def test_noisy_runs_are_counted_and_warned_of() -> None:
    assert "The machine was noisy: in 3 of 42 runs" in " ".join(shown().split())


def test_the_record_has_medians_and_every_run(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    given = record.write(record.document(RESULTS, {"fetcher": 1}), path)
    written = json.loads(path.read_text("utf-8"))
    assert given == written
    small = written["corpora"]["small"]
    assert small["tools"][OURS]["images_per_second"] == 400
    assert [run["seconds"] for run in small["tools"][OURS]["runs"]] == [4, 5, 8]
    assert small["not_measured"] == {"script": "cannot be installed: why"}
    celery = next(target for target in small["targets"] if target["what"] == "times Celery, whole command")
    assert celery == {
        "what": "times Celery, whole command",
        "at_least": 10,
        "reached": 8,
        "met": False,
        "at_best": pytest.approx(2 / 0.0015 / 50, rel=0.001),
    }
    assert written["machine"]["cores"] >= 1
    assert set(written["versions"]) >= {"python", "rabbitmq", "mongod", *(tool.name for tool in TOOLS[:-1])}


def test_the_chart_has_a_bar_as_long_as_each_rate() -> None:
    document = record.document(RESULTS, {})
    picture = ElementTree.fromstring(draw({**document, "versions": VERSIONS}))
    bars = [bar for bar in picture.iter("{http://www.w3.org/2000/svg}rect") if bar.get("class")]
    assert [bar.get("class") for bar in bars] == ["limit", "ours", "other", "other", "other", "ours", "other"]
    lengths = [float(bar.attrib["width"]) for bar in bars]
    assert lengths[1] == pytest.approx(lengths[0] / 2, abs=0.1)
    width = float(picture.attrib["width"])
    assert all(float(bar.attrib["x"]) + float(bar.attrib["width"]) < width for bar in bars)


def test_the_committed_chart_is_drawn_from_the_committed_figures() -> None:
    if not record.PATH.exists():
        pytest.skip("nothing is committed yet")
    assert draw(json.loads(record.PATH.read_text("utf-8"))) == chart.PATH.read_text("utf-8")
