"""The grayscaler: `python -m services.grayscaler`."""

import atexit

from common.crew import Consumer
from common.handling import Stage
from common.service import run_worker
from common.settings import Settings
from common.topology import Topology
from common.worker import Worker
from services.grayscaler.decoder import Decoder
from services.grayscaler.exchange import Limits
from services.grayscaler.handler import Grayscaler

NAME = "grayscaler"
BATCH_BYTES = 4 * 1024 * 1024


def wire(settings: Settings) -> Worker:
    """Put the grayscaler together."""
    topology = Topology.of(settings)
    limits = Limits(settings.image_formats, settings.max_pixels, settings.max_gray_bytes)
    decoder = Decoder(limits, seconds=settings.decode_seconds, memory_bytes=settings.decode_memory_bytes)
    decoder.start()
    atexit.register(decoder.close)  # waited for, its CPU time is counted as the grayscaler's
    grayscaler = Grayscaler(Stage(NAME, topology), decoder.decode)
    # A dozen are told and acked at little more than the cost of one; each of the largest takes a second by itself.
    consumer = Consumer(NAME, grayscaler.handle, prefetch_count=24, batch_size=12, batch_bytes=BATCH_BYTES)
    return Worker(NAME, [consumer], settings, topology)


if __name__ == "__main__":
    run_worker(NAME, wire)
