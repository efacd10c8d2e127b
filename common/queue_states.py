"""How full queues are, as the broker says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from common.session import Session


@dataclass(frozen=True, slots=True)
class QueueState:
    """Messages that wait to be delivered (those that consumers hold are not among them), and consumers."""

    messages: int
    consumers: int


Told = Callable[[Mapping[str, QueueState]], None]


def ask_queues(session: Session, queues: Sequence[str], tell: Told) -> None:
    """Ask for the states of queues by their names on the broker, and tell them. Call it on the session's thread.

    A channel of its own is used, because the broker closes it when there is no such queue; what is known then is told.
    """
    states: dict[str, QueueState] = {}

    def ask(channel: Any) -> None:
        channel.add_on_close_callback(lambda _channel, _error: tell(states))
        for queue in queues:
            channel.queue_declare(queue, passive=True, callback=partial(note, channel, queue))

    def note(channel: Any, queue: str, frame: Any) -> None:
        states[queue] = QueueState(frame.method.message_count, frame.method.consumer_count)
        if len(states) == len(queues) and channel.is_open:  # a session that ends has begun to close it
            channel.close()

    session.open_channel(ask)
