"""The document is all that a stranger needs: its examples run, and a client that knows nothing else does its work."""

import html
import os
import re
import subprocess
from dataclasses import replace

import pytest
from aiopenapi3 import OpenAPI

from common.broker import parameters
from common.publisher import Publisher
from common.settings import Settings
from samples.site import serving
from services.api.app import create_app
from tests.api_world import KEY, World, served
from tests.fleet import eventually, fleet
from tests.page_world import PageWorld


@pytest.fixture
def app(settings: Settings, topology, database, tmp_path):
    """Give the application on a real broker and a real database, with a list to try."""
    samples = tmp_path / "samples.txt"
    samples.write_text("https://a.example/1\n")
    settings = replace(settings, samples_list=str(samples), api_keys=(KEY,))
    publisher = Publisher("tests", parameters(settings, "tests"), topology)
    eventually(lambda: publisher.ready)
    yield create_app(settings, database, publisher)
    publisher.close()


def test_every_example_of_the_page_runs(app, database, tmp_path):
    """With what they name in the database, the commands are run as they stand on the page; what deletes it, last."""
    World(database).make_examples_true()
    PageWorld(database).make_examples_true()
    (tmp_path / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n")
    with served(app) as address:
        page = app.test_client().get("/docs", base_url=address).text
        commands = [html.unescape(found) for found in re.findall(r'<code class="curl">(.*?)</code>', page, re.DOTALL)]
        assert len(commands) == sum(
            len(methods) for methods in app.test_client().get("/openapi.json").json["paths"].values()
        )
        for number, command in enumerate(sorted(commands, key=lambda command: "--request DELETE" in command)):
            folder = tmp_path / "got" / str(number)
            folder.mkdir(parents=True)
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=folder,
                env={**os.environ, "CURL_HOME": str(tmp_path), "GRAYMILL_KEY": KEY},
                capture_output=True,
                timeout=30,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stderr!r}\n{done.stdout!r}"
    assert {path.suffix for path in (tmp_path / "got").rglob("*.*")} >= {".png"}


def test_a_client_made_of_nothing_but_the_document_hands_in_a_list_and_follows_it_to_its_end(
    app, environment, tmp_path
):
    workers = dict.fromkeys(("fetcher", "hasher", "grayscaler", "aggregator"), 1)
    with serving("127.0.0.2", 0) as site, fleet(workers, environment, tmp_path), served(app) as address:
        api = OpenAPI.load_sync(f"{address}/openapi.json")
        urls = [f"{site.base_url}/{path}" for path in ("40/30", "same/a", "gone")]
        api.authenticate(key=KEY)
        task = api._.submitUrls(data={"urls": urls, "name": "by a stranger"})
        assert (task.total, task.name, task.published) == (3, "by a stranger", True)
        eventually(lambda: api._.getTask(parameters={"task_id": task.id}).finished_at, what="the task's end")
        task = api._.getTask(parameters={"task_id": task.id})
        assert (task.success, task.error, task.pending) == (2, 1, 0)
        items = api._.listItems(parameters={"task_id": task.id, "outcome": "success", "limit": 1})
        assert (items.items[0].url, len(items.items)) == (urls[0], 1)
        image = api._.getImage(parameters={"md5": items.items[0].md5})
        assert (image.width, image.height, image.urls[0].url) == (40, 30, urls[0])
