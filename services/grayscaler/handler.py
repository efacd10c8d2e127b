"""`image.fetched` becomes `image.grayscaled`."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from common.facts import ImageFetched, ImageGrayscaled
from common.handling import Stage
from common.message import Message, Publication
from common.steps import now_ms
from services.grayscaler.exchange import Answer


class Grayscaler:
    """Tells the gray versions that `decode` makes of images' bytes."""

    def __init__(self, stage: Stage, decode: Callable[[Sequence[bytes]], Sequence[Answer]]) -> None:
        self._stage = stage
        self._decode = decode

    def handle(self, messages: Sequence[Message]) -> list[list[Publication]]:
        """Settle fetched images. Raises Unavailable."""
        taken_up_ms = now_ms()
        answers = self._decode([message.body for message in messages])
        return [
            self._stage.settle(partial(_tell, answer, taken_up_ms), message, taken_up_ms)
            for message, answer in zip(messages, answers, strict=True)
        ]


def _tell(answer: Answer, taken_up_ms: int, message: Message) -> Iterator[Message]:
    fetched = ImageFetched.from_message(message, taken_up_ms)
    if isinstance(answer, Exception):
        raise answer
    yield ImageGrayscaled(
        fetched.item,
        fetched.message_id,
        answer.png,
        answer.width,
        answer.height,
        answer.format,
        answer.mode,
        answer.orientation,
        answer.histogram,
        answer.perceptual_hash,
    ).to_message()
