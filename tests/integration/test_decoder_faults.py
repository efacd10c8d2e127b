"""The decoder crashes and hangs: the items that it does so with end, the others succeed, and the worker goes on."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from common.broker import parameters
from common.database import Database
from common.ledger import Ledger
from common.publisher import Publisher
from common.settings import Settings
from common.submission import submit
from common.topology import Topology
from samples.site import serving
from tests.accounts import check_accounts, check_pixels
from tests.failing_decoder import CRASHING, ENDLESS
from tests.fleet import Process, eventually
from tests.sizes import whole

GOOD = 1_000 if whole() else 200
CRASHES, HANGS = 9, 1
OTHERS = ("fetcher", "hasher", "aggregator")
PENDING = {"outcome": "pending"}


@pytest.fixture
def site() -> Iterator[str]:
    with serving("127.0.0.2", 0) as site:
        yield site.base_url


def test_poison_in_the_decoder_ends_as_an_error_and_the_worker_is_the_same(
    *,
    database: Database,
    settings: Settings,
    topology: Topology,
    environment: dict[str, str],
    site: str,
    tmp_path: Path,
) -> None:
    good = [f"{site}/{40 + number % 40}/{40 + number // 40}" for number in range(GOOD)]
    # Too large to be decoded together with others, so that each is tried twice, whatever comes beside it.
    poison = [f"{site}/photo/coffee/{CRASHING}/{number + 200}.png" for number in range(CRASHES)]
    poison += [f"{site}/{ENDLESS}/{number + 30}" for number in range(HANGS)]
    urls = list(good)
    for number, url in enumerate(poison):
        urls.insert(number * len(good) // len(poison) + 5, url)
    variables = {**environment, "DECODE_SECONDS": "3"}
    publisher = Publisher("tests", parameters(settings, "tests"), topology)
    with ExitStack() as stack:
        stack.callback(publisher.close)
        grayscaler = Process("grayscaler", variables, tmp_path / "grayscaler", command=("tests.failing_grayscaler",))
        stack.callback(grayscaler.kill)
        for name in OTHERS:
            stack.callback(Process(name, variables, tmp_path / name).kill)
        grayscaler.wait_until_consuming()
        ledger = Ledger(database)
        task_id = submit(ledger, publisher, urls, name=None, refresh=False)
        eventually(
            lambda: not database["items"].count_documents(PENDING), deadline_seconds=120, what="all have an outcome"
        )
        # A decoder that has died is replaced once it is needed.
        one_more = submit(ledger, publisher, [f"{site}/30/30"], name=None, refresh=False)
        eventually(lambda: not database["items"].count_documents(PENDING), what="and one more has")
        eventually(lambda: database["dead_letters"].count_documents({}) == len(poison), what="the letters are kept")
        assert grayscaler.is_running()
        assert len(psutil.Process(grayscaler.pid).children()) == 1
        log = grayscaler.log
        assert grayscaler.terminate() == 0
    assert check_accounts(database, task_id, len(urls)) == {"success": GOOD, "error": len(poison)}
    assert check_accounts(database, one_more, 1) == {"success": 1}
    check_pixels(database)
    ends = {item["url"]: (item["stage"], item["reason"]) for item in database["items"].find({"outcome": "error"})}
    assert ends == dict.fromkeys(poison, ("grayscaler", "poison"))
    assert len(re.findall("decoder replaced: .*Segmentation fault", log)) == 2 * CRASHES
    assert len(re.findall("decoder replaced: .*too long", log)) >= 2 * HANGS
