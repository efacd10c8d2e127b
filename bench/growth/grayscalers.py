"""How much faster two grayscalers empty their queue than one."""

import io
import statistics
import time
from collections.abc import Mapping
from uuid import uuid4

from PIL import Image

from bench.corpus import PHOTOS
from bench.growth.report import Cell, Finding, Report
from bench.growth.servers import Queues, Servers, servers
from bench.turns import Say
from bench.usage import all_cpu_seconds
from common.broker import parameters
from common.facts import ImageFetched
from common.items import Item, item_id
from common.publisher import Publisher
from common.topology import Topology
from deploy.local.waiting import wait_until

SIZE = 4_000, 3_000
"""So large that RabbitMQ, for which as much is left as the grayscalers leave, has little to do beside them."""
IMAGES = 96
FIRST, LAST = 8, 72
"""Between these, all that were started work, and nobody's prefetched messages are the last ones."""
RUNS = 3
TARGET = 1.6
OUT = "aggregator.gray"


def run(say: Say) -> Report:
    """Fill the queue and empty it with one and with two, in turn."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    costs: dict[int, dict[str, float]] = {}
    with servers(QUEUE_MAX_BYTES=str(1 << 32)) as ours, ours.queues() as queues:
        body = _photograph()
        for _ in range(RUNS):
            for count, measured in rates.items():
                _fill(ours, body)
                rate, costs[count] = _drain(ours, queues, count)
                measured.append(rate)
                say(f"grayscalers: {count}: {rate:.1f} images/s")
                queues.purge()
    one, two = (statistics.median(measured) for measured in rates.values())
    return _report(one, two, costs)


def _photograph() -> bytes:
    photo = Image.open(sorted(PHOTOS.glob("*.jpg"))[0]).convert("RGB")
    body = io.BytesIO()
    photo.resize(SIZE, Image.Resampling.BICUBIC).save(body, "JPEG", quality=60)
    return body.getvalue()


def _fill(ours: Servers, body: bytes) -> None:
    """Put images into the grayscalers' queue as a fetcher does."""
    topology = Topology.of(ours.settings)
    publisher = Publisher("bench", parameters(ours.settings, "bench"), topology)
    try:
        task_id = uuid4()
        items = (Item(task_id, item_id(task_id, line), f"http://bench.example/{line}") for line in range(1, IMAGES + 1))
        facts = (ImageFetched.of(item, body, "image/jpeg").to_message() for item in items)
        publisher.publish(topology.direct("grayscaler", fact) for fact in facts)
        publisher.flush()
    finally:
        publisher.close()


def _drain(ours: Servers, queues: Queues, count: int) -> tuple[float, dict[str, float]]:
    """Give images per second, and CPU milliseconds per image of the grayscalers and of RabbitMQ."""
    with ours.services(grayscaler=count) as grayscalers:
        processes = {**grayscalers, "rabbitmq": ours.processes["rabbitmq"]}

        def made_at_least(images: int) -> tuple[int, float, Mapping[str, float]]:
            wait_until(lambda: queues.waiting(OUT) >= images, 120, f"gray image {images}")
            return queues.waiting(OUT), time.monotonic(), all_cpu_seconds(processes)

        first, began, before = made_at_least(FIRST)
        last, ended, after = made_at_least(LAST)
    images = last - first
    spent = {name: 1_000 * (after[name] - before[name]) / images for name in processes}
    broker = spent.pop("rabbitmq")
    return images / (ended - began), {"grayscaler": sum(spent.values()), "rabbitmq": broker}


def _report(one: float, two: float, costs: Mapping[int, Mapping[str, float]]) -> Report:
    width, height = SIZE
    spent: list[list[Cell]] = [[f"CPU ms per image: {name}", costs[1][name], costs[2][name]] for name in costs[1]]
    return Report(
        f"grayscalers on photographs of {width:,} x {height:,}; medians of {RUNS} runs in turn",
        ["", "one", "two"],
        [["images per second", one, two], *spent],
        [Finding("throughput of two grayscalers, times that of one", two / one, TARGET, at_most=False)],
    )
