"""The exchanges and queues of Graymill, as a value. Every service declares all of them before it works.

graymill (topic) ── url.submitted ───────────▶ fetcher
                 ├─ page.submitted ──────────▶ scraper
                 ├─ image.fetched ───────────▶ hasher, grayscaler
                 ├─ image.hashed, item.*, page.scraped ──▶ aggregator
                 ├─ image.grayscaled ────────▶ aggregator.gray
                 └─ task.completed ──────────▶ webhook
graymill.delay.5s (fanout) ──▶ delay.5s ──(TTL)──▶ the queue named by the routing key
graymill.undelivered (topic) ◀── deliveries that a worker died of too often ──▶ undertaker
<queue>.suspects, of each queue above: what the undertaker has tried again, alone
graymill.dead (topic) ──▶ dead ──▶ the database, where it is kept for people
busy: a word from each worker that holds deliveries, every few seconds
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel

from common.errors import ConfigurationError
from common.message import Message, Publication
from common.settings import Settings

DELIVERY_LIMIT = 5
"""Redeliveries of one message before the broker takes it away; set here because brokers before 4.0 have none."""

SUSPECT_LIMIT = 2
"""The same of a message that is tried alone, where nothing but itself can be what the worker dies of."""
SUSPECTS = ".suspects"

BINDINGS: Mapping[str, tuple[str, ...]] = {
    "fetcher": ("url.submitted",),
    "scraper": ("page.submitted",),
    "hasher": ("image.fetched",),
    "grayscaler": ("image.fetched",),
    # The small facts have a queue of their own, so that an image's hash is not stuck behind other images' grays
    # and the prefetch of large bodies can be small.
    "aggregator": ("image.hashed", "item.known", "item.failed", "page.scraped"),
    "aggregator.gray": ("image.grayscaled",),
    "webhook": ("task.completed",),
}
BOUNDED = ("hasher", "grayscaler", "aggregator.gray")
"""Queues of image bodies: over `queue_max_bytes` the broker refuses more, and the publisher waits."""
BUSY_SECONDS = 15
"""So long a worker's word counts that it holds deliveries."""


@dataclass(frozen=True)
class Topology:
    """Names and arguments of all exchanges and queues; `prefix` keeps several of them apart on one broker."""

    prefix: str = ""
    queue_type: str = "quorum"
    queue_max_bytes: int = 1 << 30
    delays_seconds: tuple[int, ...] = (5, 30, 300)
    exchange: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "exchange", f"{self.prefix}graymill")

    @classmethod
    def of(cls, settings: Settings) -> "Topology":
        """Take what concerns the topology out of the settings."""
        return cls(settings.amqp_prefix, settings.queue_type, settings.queue_max_bytes, settings.retry_delays_seconds)

    @property
    def queues(self) -> tuple[str, ...]:
        """Name all queues, without prefix."""
        delays = (f"delay.{seconds}s" for seconds in self.delays_seconds)
        return (*BINDINGS, *map(suspects_of, BINDINGS), "undertaker", "dead", "busy", *delays)

    def queue(self, name: str) -> str:
        """Give the queue's name on the broker."""
        return f"{self.prefix}{name}"

    def fact(self, message: Message) -> Publication:
        """Tell it to every queue bound to its type."""
        return Publication(self.exchange, message.type, message)

    def direct(self, queue: str, message: Message) -> Publication:
        """Put it into one queue, through the broker's default exchange."""
        return Publication("", self.queue(queue), message)

    def delayed(self, queue: str, message: Message, seconds: float) -> Publication:
        """Bring it back to the queue after about so many seconds: the longest wait that fits, or the shortest there is.

        One queue per wait, because a message's own TTL would only be looked at once it is the first of its queue.
        """
        return Publication(f"{self.exchange}.delay.{self.delay_seconds(seconds)}s", self.queue(queue), message)

    def delay_seconds(self, seconds: float) -> int:
        """Give the longest wait of a delay queue that fits, or the shortest there is."""
        return max((delay for delay in self.delays_seconds if delay <= seconds), default=self.delays_seconds[0])

    def busy(self, worker: str) -> Publication:
        """Say that a worker holds deliveries: of those, the broker tells nobody."""
        return self.direct("busy", Message("worker.busy", worker, "", {}, b""))

    def dead(self, queue: str, message: Message, reason: str) -> Publication:
        """Keep it for people, with the sentence that says why."""
        buried = message.with_headers(**{"x-dead-reason": reason[:500], "x-dead-queue": queue})
        return Publication(f"{self.exchange}.dead", queue, buried)

    def declare(self, channel: BlockingChannel) -> None:
        """Declare everything; raises ConfigurationError when the broker has a queue of other arguments."""
        try:
            self._declare(channel)
        except pika.exceptions.ChannelClosedByBroker as error:
            if error.reply_code != 406:
                raise
            raise ConfigurationError(
                f"AMQP: the broker's queues were declared with other settings: {error.reply_text}"
            ) from error

    def _declare(self, channel: BlockingChannel) -> None:
        undelivered, dead = f"{self.exchange}.undelivered", f"{self.exchange}.dead"
        channel.exchange_declare(self.exchange, "topic", durable=True)
        channel.exchange_declare(undelivered, "topic", durable=True)
        channel.exchange_declare(dead, "topic", durable=True)
        self._declare_queue(channel, "undertaker", self._endless())
        channel.queue_bind(self.queue("undertaker"), undelivered, "#")
        self._declare_queue(channel, "dead", self._endless())
        channel.queue_bind(self.queue("dead"), dead, "#")
        for seconds in self.delays_seconds:
            waiting = {"x-message-ttl": seconds * 1000, **self._dead_letter("")}
            self._declare_queue(channel, f"delay.{seconds}s", waiting)
            channel.exchange_declare(f"{self.exchange}.delay.{seconds}s", "fanout", durable=True)
            channel.queue_bind(self.queue(f"delay.{seconds}s"), f"{self.exchange}.delay.{seconds}s")
        self._declare_queue(channel, "busy", {"x-message-ttl": BUSY_SECONDS * 1000})
        for name, routing_keys in BINDINGS.items():
            arguments = {**self._dead_letter(undelivered), "x-dead-letter-routing-key": name}
            if name in BOUNDED:
                arguments["x-max-length-bytes"] = self.queue_max_bytes
            self._declare_queue(channel, name, arguments)
            for routing_key in routing_keys:
                channel.queue_bind(self.queue(name), self.exchange, routing_key)
            suspects = suspects_of(name)
            arguments = {**self._dead_letter(undelivered, SUSPECT_LIMIT), "x-dead-letter-routing-key": suspects}
            self._declare_queue(channel, suspects, arguments)

    def _declare_queue(self, channel: BlockingChannel, name: str, arguments: Mapping[str, Any]) -> None:
        channel.queue_declare(self.queue(name), durable=True, arguments={"x-queue-type": self.queue_type, **arguments})

    def _dead_letter(self, exchange: str, delivery_limit: int = DELIVERY_LIMIT) -> dict[str, Any]:
        arguments: dict[str, Any] = {"x-dead-letter-exchange": exchange, "x-overflow": "reject-publish"}
        if self.queue_type == "quorum":
            # Without at-least-once a dead-lettered message is lost when its target does not answer just then.
            arguments |= {"x-delivery-limit": delivery_limit, "x-dead-letter-strategy": "at-least-once"}
        return arguments

    def _endless(self) -> dict[str, Any]:
        """Keep what has nowhere else to go: from 4.0 on the broker's own limit would drop it."""
        return {"x-delivery-limit": 1_000_000} if self.queue_type == "quorum" else {}

    def delete(self, channel: BlockingChannel) -> None:
        """Delete all of it, messages included."""
        for name in self.queues:
            channel.queue_delete(self.queue(name))
        delays = (f".delay.{seconds}s" for seconds in self.delays_seconds)
        for suffix in ("", ".undelivered", ".dead", *delays):
            channel.exchange_delete(self.exchange + suffix)


def suspects_of(queue: str) -> str:
    """Name the queue of those of a queue's messages that are tried alone."""
    return f"{queue}{SUSPECTS}"
