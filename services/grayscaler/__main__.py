"""The grayscaler: `python -m services.grayscaler`."""

from PIL import Image

from common.broker import parameters
from common.handling import Stage
from common.service import run_worker
from common.settings import Settings
from common.topology import Topology
from common.worker import Consumer, Worker
from services.grayscaler.handler import Grayscaler

NAME = "grayscaler"


def wire(settings: Settings) -> Worker:
    """Put the grayscaler together."""
    # Pillow's own guard, should a decoder find a larger picture inside than its header told.
    Image.MAX_IMAGE_PIXELS = settings.max_pixels
    topology = Topology.of(settings)
    grayscaler = Grayscaler(settings.image_formats, settings.max_pixels, settings.max_gray_bytes)
    consumer = Consumer(NAME, Stage(NAME, topology).each(grayscaler.handle), prefetch_count=16)
    return Worker(NAME, [consumer], parameters(settings, NAME), topology, held_bytes=settings.held_bytes)


if __name__ == "__main__":
    run_worker(NAME, wire)
