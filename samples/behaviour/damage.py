"""Pictures that do not arrive as they were."""

from __future__ import annotations

from dataclasses import replace

from samples import delivery
from samples.answer import Answer
from samples.behaviour.pictures import jpeg, picture
from samples.visit import Visit


def truncated(visit: Visit) -> Answer:
    """Less than Content-Length promises, then the connection closes."""
    return replace(picture(jpeg(visit)), delivery=delivery.half_then_hang_up)


def understated(visit: Visit) -> Answer:
    """More than Content-Length promises, then the connection closes."""
    answer = picture(jpeg(visit))
    return replace(answer, promised_bytes=len(answer.body) // 2, delivery=delivery.then_hang_up)


def cut(visit: Visit) -> Answer:
    """A complete answer whose body is the first half of a JPEG."""
    body = jpeg(visit)
    return picture(body[: len(body) // 2])


def reset(visit: Visit) -> Answer:
    """A connection reset in the middle of the body at the key's first request, then the picture."""
    answer = picture(jpeg(visit))
    if visit.memory.turns.count(f"reset {visit.parts['key']}") == 1:
        return replace(answer, delivery=delivery.half_then_reset)
    return answer
