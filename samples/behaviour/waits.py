"""Pictures that take their time."""

from __future__ import annotations

from dataclasses import replace

from samples import delivery
from samples.answer import Answer
from samples.behaviour.pictures import jpeg, picture
from samples.visit import Visit

LONGEST_WAIT_SECONDS = 60.0


def slow(visit: Visit) -> Answer:
    """Nothing for some seconds, then the picture."""
    return replace(picture(jpeg(visit)), delivery=delivery.after(_seconds(visit)))


def dripping(visit: Visit) -> Answer:
    """The body at so many bytes a second."""
    bytes_per_second = max(1, int(visit.parts["bytes_per_second"]))
    return replace(picture(jpeg(visit)), delivery=delivery.dripping(bytes_per_second))


def head_dripping(visit: Visit) -> Answer:
    """The head at one byte each so many seconds."""
    return replace(picture(jpeg(visit)), delivery=delivery.head_dripping(_seconds(visit)))


def _seconds(visit: Visit) -> float:
    return min(float(visit.parts["seconds"]), LONGEST_WAIT_SECONDS)
