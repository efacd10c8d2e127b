"""What Prometheus is told: names as its conventions want them, labels whose values are few, figures that add up."""

import inspect
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from common import crew
from common.durations import BOUNDS_SECONDS, Durations
from common.exposing import WorkerState
from common.handling import Stage
from common.message import Message
from common.settings import Settings
from common.topology import Topology
from common.worker import Worker
from services.aggregator import outcomes
from services.api import metrics
from tests.some_facts import new_item
from tests.sources import ROOT

UNITS = ("_seconds", "_bytes", "_total", "_deliveries")
STATES = ("graymill_broker_connected", "graymill_broker_blocked")
LABELS = {"queue", "outcome", "reason", "method", "route", "status", "cause"}


def families() -> Iterator[Metric]:
    """Give all of ours, whichever service has them."""
    yield from (family for family in REGISTRY.collect() if family.name.startswith("graymill_"))
    yield from WorkerState(Worker("tests", [], Settings.from_environ({}), Topology())).collect()


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_every_name_has_its_unit_and_every_metric_its_meaning() -> None:
    found = list(families())
    assert {"graymill_wait_seconds", "graymill_outcomes", "graymill_http_requests"} <= {each.name for each in found}
    for family in found:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert name.endswith(UNITS) or name in STATES, name
        assert family.documentation.endswith("."), name


def test_the_documentation_names_every_metric_and_no_other() -> None:
    document = (ROOT / "docs" / "operations.md").read_text()
    listed = set(re.findall(r"^\| `(graymill_\w+)", document, re.MULTILINE))
    of_the_api = set(re.findall(r'GaugeMetricFamily\(\s*"(graymill_\w+)"', inspect.getsource(metrics)))
    ours = {f"{each.name}_total" if each.type == "counter" else each.name for each in families()}
    assert len(of_the_api) > 5
    assert listed == ours | of_the_api


def test_alerts_ask_for_what_there_is() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "operations.md").read_text(), re.DOTALL)
    scraped, alerts = map(yaml.safe_load, blocks)
    named = [name for job in scraped["scrape_configs"] for each in job["dns_sd_configs"] for name in each["names"]]
    assert sorted(named) == sorted(path.parent.name for path in (ROOT / "services").glob("*/__main__.py"))
    rules = [rule for group in alerts["groups"] for rule in group["rules"]]
    asked = {name for rule in rules for name in re.findall(r"graymill_\w+", rule["expr"])}
    listed = set(re.findall(r"`(graymill_\w+)", (ROOT / "docs" / "operations.md").read_text()))
    assert len(rules) == 3
    assert asked <= listed


def test_no_label_can_hold_what_a_stranger_wrote() -> None:
    names = {label for family in families() for sample in family.samples for label in sample.labels}
    assert names - {"le"} <= LABELS


def test_durations_fall_into_their_buckets_and_add_up() -> None:
    registry = CollectorRegistry()
    durations = Durations("some_seconds", "Some.", "queue", registry)
    durations.note("hasher", [0, 3, 4, 1_000, 10**9])
    durations.note("hasher", [30])
    durations.note("fetcher", ())
    (family,) = text_string_to_metric_families(generate_latest(registry).decode())
    assert (family.name, family.type) == ("some_seconds", "histogram")
    values = {(each.name, each.labels["queue"], each.labels.get("le")): each.value for each in family.samples}
    at_most = {bound: values["some_seconds_bucket", "hasher", str(bound)] for bound in BOUNDS_SECONDS}
    assert (at_most[0.003], at_most[0.01], at_most[0.03], at_most[0.3], at_most[1.0]) == (2, 3, 4, 4, 5)
    assert values["some_seconds_bucket", "hasher", "+Inf"] == values["some_seconds_count", "hasher", None] == 6
    assert values["some_seconds_sum", "hasher", None] == pytest.approx(1_000_001.037)
    assert values["some_seconds_count", "fetcher", None] == 0


@pytest.mark.parametrize(
    ("headers", "waited_ms"),
    [
        ({"steps": "1000"}, 9_000),
        ({"steps": "1000,2000,3000"}, 7_000),
        ({"steps": "1000", "not_before_ms": 6_000}, 4_000),
        ({"steps": "7000", "not_before_ms": 6_000}, 3_000),
        ({"steps": "99000"}, 0),
        ({"steps": "1000", "not_before_ms": "soon"}, 9_000),
        ({"steps": "1000,"}, None),
        ({"steps": "-5"}, None),
        ({"steps": "9" * 15}, None),
        ({"steps": "\u0663"}, None),
        ({"steps": 1000}, None),
        ({}, None),
    ],
)
def test_a_message_has_waited_since_it_was_told_or_due_again(headers: dict[str, object], waited_ms: int | None) -> None:
    message = Message("url.submitted", "", "", headers, b"")
    name, labels = "graymill_wait_seconds", {"queue": "fetcher"}
    before = sample(f"{name}_count", **labels), sample(f"{name}_sum", **labels)
    crew._note("fetcher", [message], 10_000)
    assert sample(f"{name}_count", **labels) - before[0] == (waited_ms is not None)
    assert sample(f"{name}_sum", **labels) - before[1] == pytest.approx((waited_ms or 0) / 1000)


def test_a_queue_that_a_stranger_names_is_counted_under_no_name_of_his() -> None:
    message = Message("url.submitted", "", "", {}, b"")
    before = sample("graymill_dead_lettered_total", queue="unknown")
    Stage("a-name-that-a-stranger-made-up", Topology()).bury(message, "why")
    assert sample("graymill_dead_lettered_total", queue="unknown") == before + 1
    assert "stranger" not in generate_latest(REGISTRY).decode()


def test_all_outcomes_and_reasons_are_there_before_the_first() -> None:
    outcomes.begin_at_zero()
    text = generate_latest(REGISTRY).decode()
    assert re.search(r'^graymill_outcomes_total\{outcome="success",reason=""\} \d', text, re.MULTILINE)
    assert re.search(r'^graymill_outcomes_total\{outcome="error",reason="poison"\} \d', text, re.MULTILINE)


def test_outcomes_are_counted_by_their_reason() -> None:
    item = new_item()
    ends = [(item, None, {"outcome": "success", "md5": "0" * 32}), (item, None, {"outcome": "duplicate"})]
    ends += 3 * [(item, None, {"outcome": "error", "reason": "dns"})]
    labels = [("success", ""), ("duplicate", ""), ("error", "dns")]
    before = [sample("graymill_outcomes_total", outcome=outcome, reason=reason) for outcome, reason in labels]
    outcomes.tell(ends, datetime.now(UTC))
    after = [sample("graymill_outcomes_total", outcome=outcome, reason=reason) for outcome, reason in labels]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 3]
