"""The grayscaler: `python -m services.grayscaler`."""

from PIL import Image

from common.crew import Consumer
from common.handling import Stage
from common.service import run_worker
from common.settings import Settings
from common.topology import Topology
from common.worker import Worker
from services.grayscaler.handler import Grayscaler

NAME = "grayscaler"


def wire(settings: Settings) -> Worker:
    """Put the grayscaler together."""
    # Pillow's own guard, should a decoder find a larger picture inside than its header told.
    Image.MAX_IMAGE_PIXELS = settings.max_pixels
    topology = Topology.of(settings)
    grayscaler = Grayscaler(settings.image_formats, settings.max_pixels, settings.max_gray_bytes)
    # Four at once are told, and acked, at little more than the cost of one.
    consumer = Consumer(NAME, Stage(NAME, topology).each(grayscaler.handle), prefetch_count=16, batch_size=4)
    return Worker(NAME, [consumer], settings, topology)


if __name__ == "__main__":
    run_worker(NAME, wire)
