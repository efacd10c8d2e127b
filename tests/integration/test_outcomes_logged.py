"""The aggregators' logs tell each outcome once, with its ids and its reason, and no log tells a secret (P24)."""

import json
from pathlib import Path

from common.broker import parameters
from common.database import Database
from common.ledger import Ledger
from common.publisher import Publisher
from common.settings import Settings
from common.submission import submit
from common.topology import Topology
from samples.site import serving
from tests.accounts import check_accounts
from tests.fleet import eventually, fleet
from tests.sizes import whole

LINES = 2_000 if whole() else 200
WORKERS = {"fetcher": 1, "hasher": 1, "grayscaler": 1, "aggregator": 2}
SECRETS = {"WEBHOOK_SECRET": "webhook-secret-of-the-tests", "API_KEYS": "api-key-of-the-tests-of-24"}
PASSWORD = "pass-word-of-the-tests"


def test_a_run_with_killed_workers_is_told_line_by_line(
    database: Database, settings: Settings, topology: Topology, environment: dict[str, str], tmp_path: Path
) -> None:
    """The aggregators are told to end: who is killed between an outcome and its line tells that one nowhere."""
    variables = {**environment, **SECRETS, "LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG"}
    ended = {"outcome": {"$ne": "pending"}}
    publisher = Publisher("tests", parameters(settings, "tests"), topology)
    with serving("127.0.0.2", 0) as site, fleet(WORKERS, variables, tmp_path) as workers:
        odd = [f"{site.base_url}{path}" for path in ("/error/100", "/9000/9000", "/html", "/flaky/one/1/44/30")]
        odd.append(site.base_url.replace("//", f"//user:{PASSWORD}@"))
        urls = [odd[n // 10 % 5] if n % 10 == 9 else f"{site.base_url}/{20 + n % 100}/21" for n in range(LINES)]
        task_id = submit(Ledger(database), publisher, urls, name=None, refresh=False)
        eventually(lambda: database["items"].count_documents(ended) > LINES // 10, what="the run is under way")
        for process in workers:
            if process.service == "aggregator":
                assert process.terminate() == 0
            else:
                process.kill()
            process.restart()
        eventually(lambda: not database["items"].count_documents({"outcome": "pending"}), deadline_seconds=240)
        eventually(lambda: all(process.consumes for process in workers), what="all are back")
        assert [process.terminate() for process in workers] == [0] * len(workers)
        logs = [process.log for process in workers]
    publisher.close()
    check_accounts(database, task_id, LINES)

    told = [line for log in logs for line in map(json.loads, log.splitlines()) if "outcome" in line]
    items = database["items"].find({"task_id": task_id})
    ledger = {(str(item["_id"]), str(task_id), item["outcome"], item.get("reason", "")) for item in items}
    assert len(told) == LINES
    assert {(line["item_id"], line["task_id"], line["outcome"], line.get("reason", "")) for line in told} == ledger
    assert all(line["message_id"] for line in told if line["outcome"] == "success")
    print(f"{LINES} items, {len(told)} lines")  # noqa: T201 - the figures are wanted
    for secret in (PASSWORD, *SECRETS.values()):
        assert not any(secret in log for log in logs)
