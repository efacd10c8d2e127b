"""What nobody takes away waits in the broker, up to its bounds, and then with the fetcher: not in memory (P9)."""

import random
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.broker import parameters
from common.database import Database
from common.ledger import Ledger
from common.publisher import Publisher
from common.settings import Settings
from common.submission import submit
from common.topology import Topology
from tests.accounts import check_accounts
from tests.fleet import Process, eventually, fleet
from tests.integration.runtime import Broker
from tests.raw_server import OK, RawServer, Visit, talking
from tests.sizes import whole

LINES = 5_000 if whole() else 240
"""Far more than what has room behind the fetcher: the short run's full queues, of 12 images and 36 grays, with what the
broker takes until it notices that they are, about 32 messages each, and the grayscaler's 24: 136 at most.
"""
QUEUE_BYTES = 1 << 30 if whole() else 12 << 20
MOST_MEGABYTES = 400
SIDE = 591
BMP = struct.pack("<2sIHHI", b"BM", 0, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 24, 0, 0, 0, 0, 0, 0)
"""The head of an image of 1 MB: what follows are its pixels, a row of 1,776 bytes after the other."""
NOISE = random.Random(9).randbytes(SIDE * 1_776)


def other_noise(visit: Visit) -> None:
    """Give another image of 1 MB at each path, none of which can be compressed."""
    while head := visit.request():
        number = int(head.split()[1].lstrip(b"/"))
        visit.send(OK + b"Content-Length: %d\r\n\r\n" % (len(BMP) + len(NOISE)))
        visit.send(BMP + number.to_bytes(4, "big") + NOISE[4:])


def peak_megabytes(process: Process) -> float:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "QUEUE_MAX_BYTES": str(QUEUE_BYTES), "KEEP_ORIGINALS": "false"}


@pytest.fixture
def origin() -> Iterator[RawServer]:
    with talking(other_noise, send_buffer_bytes=1 << 20) as server:
        yield server


@pytest.mark.timeout(1_800)
def test_the_fetcher_waits_while_nobody_aggregates_and_then_all_ends(
    *,
    database: Database,
    settings: Settings,
    topology: Topology,
    environment: dict[str, str],
    origin: RawServer,
    tmp_path: Path,
) -> None:
    broker = Broker(settings, topology)
    publisher = Publisher("tests", parameters(settings, "tests"), topology)
    urls = [origin.url(f"/{line}") for line in range(LINES)]
    with fleet({"fetcher": 1, "hasher": 1, "grayscaler": 1}, environment, tmp_path) as workers:
        task_id = submit(Ledger(database), publisher, urls, name=None, refresh=False)
        publisher.close()
        eventually(lambda: "is full" in workers[0].log, deadline_seconds=900, what="the fetcher is refused")
        waiting = {queue: broker.ready(queue) for queue in ("fetcher", "grayscaler", "aggregator.gray")}
        print(f"the fetcher waits: {waiting}, {peak_megabytes(workers[0]):.0f} MB")  # noqa: T201 - the figures are wanted
        assert database["items"].count_documents({"outcome": "pending"}) == LINES
        with fleet({"aggregator": 1}, environment, tmp_path) as aggregators:
            pending = {"outcome": "pending"}
            eventually(lambda: not database["items"].count_documents(pending), deadline_seconds=900, what="all end")
            peaks = {process.service: round(peak_megabytes(process)) for process in (*workers, *aggregators)}
    print(f"{LINES} images of 1 MB: at most {peaks} MB")  # noqa: T201
    assert check_accounts(database, task_id, LINES) == {"success": LINES}
    assert peaks["fetcher"] < MOST_MEGABYTES
