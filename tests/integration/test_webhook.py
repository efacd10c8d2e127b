"""Who asked to be told of a task's end is told, signed, until it is taken."""

import base64
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from common.database import Database, Document
from common.errors import Permanent, Transient
from common.facts import PageScraped, TaskCompleted
from common.fetching.wiring import open_resolver, open_transport
from common.items import Item, item_id
from common.ledger import Ledger
from common.reasons import Reason
from common.settings import Settings
from services.aggregator.completion import Completions
from services.aggregator.join import Join
from services.scraper.notices import Notices
from services.scraper.sender import Sender
from services.scraper.webhook import Webhook
from tests.some_facts import failed
from tests.web_pages import Web, serving

SECRET = "a secret of 16 or more"
PAGE = "https://page.example/"


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as web:
        yield web


def webhook_of(database: Database, **variables: str) -> Webhook:
    settings = Settings.from_environ({"FETCH_ALLOW_NETS": "127.0.0.2/32", **variables})
    sender = Sender(settings, open_resolver(settings), open_transport(settings, connections=1))
    return Webhook(Notices(database), sender, SECRET)


@pytest.fixture
def webhook(database: Database) -> Webhook:
    return webhook_of(database)


@pytest.fixture
def completions(database: Database) -> Completions:
    return Completions(database)


def page_task(database: Database, webhook: str | None, images: int = 2) -> tuple[Item, ...]:
    ledger = Ledger(database)
    more = {"webhook": {"url": webhook}} if webhook else {}
    task_id = ledger.open_task(kind="images", name=None, refresh=False, page=PAGE, **more)
    return tuple(ledger.add_items(task_id, 0, [PAGE, *(f"{PAGE}{number}.png" for number in range(images))]))


def finished(database: Database, url: str) -> Item:
    page, image = page_task(database, url, 1)
    Join(database).scraped([PageScraped(page)])
    Join(database).failed([failed(image)])
    return page


def tell(webhook: Webhook, page: Item, attempt: int = 1) -> None:
    message = TaskCompleted(page).to_message()
    assert list(webhook.handle(message.with_headers(attempt=attempt))) == []


def noted(database: Database, task_id: UUID) -> Document:
    task = database["tasks"].find_one({"_id": task_id})
    assert task is not None
    noted: Document = task["webhook"]
    return noted


def test_a_task_is_told_of_when_its_last_item_has_ended(database: Database, completions: Completions) -> None:
    page, first, last = page_task(database, "https://receiver.example/")
    join = Join(database)
    join.scraped([PageScraped(page)])
    assert completions.among([page]) == []
    join.failed([failed(first)])
    assert completions.among([page, first]) == []
    join.failed([failed(last)])
    [message] = completions.among([last])
    assert TaskCompleted.from_message(message) == TaskCompleted(page)
    assert message.headers["url"] == PAGE


def test_a_task_without_a_webhook_is_looked_up_once(database: Database, completions: Completions) -> None:
    page, first, last = page_task(database, None)
    Join(database).failed([failed(item) for item in (page, first, last)])
    assert completions.among([page, first]) == []
    database["tasks"].update_one({"_id": page.task_id}, {"$set": {"webhook": {"url": "https://later.example/"}}})
    assert completions.among([last]) == []


def test_the_receiver_can_tell_who_sent_it_and_what_became_of_the_task(
    web: Web, database: Database, webhook: Webhook
) -> None:
    page = finished(database, f"{web.base_url}/hook")
    tell(webhook, page)
    [(headers, body)] = web.posted
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signature = base64.b64encode(hmac.digest(SECRET.encode(), signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"
    assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
    notice = json.loads(body)
    assert notice["type"] == "task.completed"
    assert notice["data"]["id"] == str(page.task_id)
    assert (notice["data"]["url"], notice["data"]["status"]) == (PAGE, "partial")
    assert notice["data"]["images"] == {"total": 1, "success": 0, "duplicate": 0, "error": 1}
    assert notice["data"]["resource"] == f"/images_tasks/{page.task_id}"
    assert noted(database, page.task_id)["attempts"] == 1


def test_a_task_is_told_of_once_and_again_after_a_retry(web: Web, database: Database, webhook: Webhook) -> None:
    page = finished(database, f"{web.base_url}/hook")
    tell(webhook, page)
    tell(webhook, page)
    assert len(web.posted) == 1
    [[image]] = list(Ledger(database).reopen(page.task_id, [Reason.TRUNCATED]))
    database["tasks"].update_one({"_id": page.task_id}, {"$unset": {"webhook.told": ""}})
    tell(webhook, page)
    assert len(web.posted) == 1, "it is not complete"
    Join(database).failed([failed(image)])
    tell(webhook, page)
    first, second = (headers["webhook-id"] for headers, _body in web.posted)
    assert first != second


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_a_refusal_is_tried_again_under_the_same_id(
    web: Web, database: Database, webhook: Webhook, status: int
) -> None:
    page = finished(database, f"{web.base_url}/hook")
    web.statuses = [status]
    with pytest.raises(Transient):
        tell(webhook, page)
    assert str(status) in noted(database, page.task_id)["error"]
    tell(webhook, page, attempt=2)
    after = noted(database, page.task_id)
    assert (after["attempts"], "error" in after, "told" in after) == (2, False, True)
    first, second = (headers["webhook-id"] for headers, _body in web.posted)
    assert first == second


def test_nobody_listens_any_more(web: Web, database: Database, webhook: Webhook) -> None:
    page = finished(database, f"{web.base_url}/hook")
    web.statuses = [410]
    with pytest.raises(Permanent):
        tell(webhook, page)


def test_a_redirect_is_not_followed(web: Web, database: Database, webhook: Webhook) -> None:
    page = finished(database, f"{web.base_url}/hook")
    web.statuses = [302]
    with pytest.raises(Transient):
        tell(webhook, page)
    assert len(web.posted) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::1]", "localhost"])
def test_an_address_that_may_not_be_asked_may_not_be_told_either(database: Database, host: str) -> None:
    page = finished(database, f"http://{host}/hook")
    with pytest.raises(Permanent) as refused:
        tell(webhook_of(database), page)
    assert refused.value.reason is Reason.BLOCKED_ADDRESS
    assert "blocked_address" in noted(database, page.task_id)["error"]


def test_a_deleted_task_is_not_told_of(web: Web, database: Database, webhook: Webhook) -> None:
    page = finished(database, f"{web.base_url}/hook")
    database["tasks"].update_one({"_id": page.task_id}, {"$set": {"deleted_at": datetime.now(UTC)}})
    tell(webhook, page)
    assert web.posted == []


def test_a_task_that_nobody_knows_is_not_told_of(web: Web, database: Database, webhook: Webhook) -> None:
    page = finished(database, f"{web.base_url}/hook")
    unknown = UUID(int=5)
    tell(webhook, replace(page, task_id=unknown, item_id=item_id(unknown, 0)))
    assert web.posted == []
