"""`results.json`: what was measured, every run of it, and with what."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from bench.machine import machine, versions
from bench.series import Measured, Results, Series
from bench.targets import TARGETS

PATH = Path(__file__).parent / "results.json"


def document(results: Results, workers: Mapping[str, int]) -> dict[str, Any]:
    """Give all of it."""
    return {
        "date": date.today().isoformat(),  # noqa: DTZ011 - the day of whoever measures
        "machine": machine(),
        "versions": versions(),
        "workers": dict(workers),
        "corpora": {
            corpus: {
                "targets": _targets(corpus, measured),
                "tools": {name: _series(series) for name, series in measured.items()},
                "not_measured": dict(results.failures[corpus]),
            }
            for corpus, measured in results.measured.items()
        },
    }


def write(document: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Write it, with numbers of four significant digits; gives what is written."""
    rounded: Mapping[str, Any] = _rounded(document)
    path.write_text(json.dumps(rounded, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return rounded


def _targets(corpus: str, measured: Measured) -> list[dict[str, Any]]:
    figures = [(target, target.figure(measured)) for target in TARGETS]
    return [
        {
            "what": target.what,
            "at_most" if target.at_most else "at_least": target.bounds[corpus],
            "reached": figure,
            "met": figure is not None and target.is_met(corpus, figure),
            "at_best": target.best(measured),
        }
        for target, figure in figures
    ]


def _series(series: Series) -> dict[str, Any]:
    return {
        "images": series.runs[0].images,
        "images_per_second": series.rate,
        "images_per_second_least": min(series.rates),
        "images_per_second_most": max(series.rates),
        "start_seconds": series.start_seconds,
        "images_per_second_start_taken_off": series.steady_rate,
        "cpu_milliseconds_per_image": series.cpu_milliseconds,
        "cpu_milliseconds_per_image_of_all": series.total_cpu_milliseconds,
        "peak_megabytes": series.peak_megabytes,
        "peak_megabytes_without_servers": series.peak_without_servers_megabytes,
        "noisy_runs": series.noisy,
        "runs": [asdict(run) for run in series.runs],
        "starts": [asdict(run) for run in series.starts],
    }


def _rounded(value: Any) -> Any:
    """Give the same with numbers of four significant digits."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, Mapping):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value
