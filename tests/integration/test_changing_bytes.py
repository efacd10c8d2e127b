"""The MD5 and the gray version of an image are of the same bytes, however often its URL is fetched (P4)."""

from pathlib import Path

from common.broker import parameters
from common.database import Database
from common.ledger import Ledger
from common.publisher import Publisher
from common.settings import Settings
from common.submission import publish_items, submit
from common.topology import Topology
from samples.site import serving
from tests.accounts import check_accounts, check_pixels
from tests.fleet import eventually, fleet
from tests.sizes import whole

LINES = 1_000 if whole() else 120
WORKERS = {"fetcher": 1, "hasher": 1, "grayscaler": 1, "aggregator": 2}


def test_hash_and_gray_are_of_the_same_bytes_though_each_request_gives_others(
    database: Database, settings: Settings, topology: Topology, environment: dict[str, str], tmp_path: Path
) -> None:
    """Every URL is told of again while it is under way, and workers are killed with what they hold."""
    publisher = Publisher("tests", parameters(settings, "tests"), topology)
    ledger = Ledger(database)
    ended = {"outcome": {"$ne": "pending"}}
    with serving("127.0.0.2", 0) as site, fleet(WORKERS, environment, tmp_path) as processes:
        urls = [f"{site.base_url}/changing/{20 + line % 30}/{20 + line // 30}" for line in range(LINES)]
        task_id = submit(ledger, publisher, urls, name=None, refresh=False)
        for rounds in range(2 if whole() else 1):
            for items in ledger.pending(task_id):
                publish_items(publisher, items, refresh=True)
            publisher.flush()
            eventually(lambda: database["items"].count_documents(ended) > LINES // 10, what="the run is under way")
            for process in processes[rounds::2]:
                process.kill()
                process.restart()
        eventually(lambda: database["items"].count_documents(ended) == LINES, deadline_seconds=120, what="the end")
        requests = sum(site.memory.requests.counts().values())
    publisher.close()
    print(f"{LINES} URLs, {requests} downloads of different bytes")  # noqa: T201 - the figures are wanted
    assert requests > LINES
    assert check_accounts(database, task_id, LINES) == {"success": LINES}
    check_pixels(database)
