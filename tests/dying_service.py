"""A service that dies of some messages: `python -m tests.dying_service NAME` runs it as `python -m services.NAME` does.

It is killed at once, as by a fault in a decoder, when a handler is given a message of a URL that ends in
`poison-<queue>`: of every message but that which tells that the item has failed.
"""

import os
import runpy
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from common.crew import Consumer
from common.facts import ItemFailed
from common.message import Message
from common.worker import Worker


def dying(consumer: Consumer) -> Consumer:
    """Have a consumer's handler die of poison."""

    def handle(messages: Sequence[Message]) -> Any:
        for message in messages:
            poisonous = str(message.headers.get("url", "")).endswith(f"poison-{consumer.queue}")
            if poisonous and message.type != ItemFailed.NAME:
                os.kill(os.getpid(), signal.SIGSEGV)
                signal.pause()  # the signal may come to another thread first
        return consumer.handle(messages)

    return replace(consumer, handle=handle)


class DyingWorker(Worker):
    """Dies of poison in any of its queues."""

    def __init__(self, name: str, consumers: Sequence[Consumer], *more: Any) -> None:
        super().__init__(name, [dying(consumer) for consumer in consumers], *more)


if __name__ == "__main__":
    sys.modules["common.worker"].Worker = DyingWorker  # type: ignore[attr-defined]
    runpy.run_module(f"services.{sys.argv.pop()}", run_name="__main__")
