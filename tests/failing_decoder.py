"""A decoder process with faults, started in place of `services.grayscaler.decoder_process`.

It does to images of some widths what a fault in a decoder, or somebody who has taken it over, could.
"""

import os
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO

from PIL import Image

from services.grayscaler import decoder_process, exchange
from services.grayscaler.gray_version import gray_version

CRASHING, ENDLESS, ABORTING, LEAVING, DEAF, LYING, HUGE, UNUSUAL = range(601, 609)


def die(number: int) -> None:
    os.kill(os.getpid(), number)


def stay() -> None:
    while True:
        time.sleep(60)


def close_the_socket() -> None:
    os.close(0)
    stay()


def answer(reason: int, length: int, *numbers: int) -> None:
    head = exchange.HEAD.pack(reason, length, *(numbers or (0, 0, 0)), b"", b"", 0, b"")
    socket.socket(fileno=0).sendall(head)
    stay()


FAULTS: dict[int, Callable[[], object]] = {
    CRASHING: partial(die, signal.SIGSEGV),
    UNUSUAL: partial(die, signal.SIGRTMAX),
    ENDLESS: stay,
    ABORTING: os.abort,
    LEAVING: lambda: os._exit(3),
    DEAF: close_the_socket,
    LYING: lambda: answer(255, 9, 40_000, 40_000, 1),
    HUGE: lambda: answer(0, 2**32 - 1),
}


def failing(body: bytes, limits: exchange.Limits) -> exchange.GrayVersion:
    """Make a gray version, or do what the image's width asks for."""
    with Image.open(BytesIO(body)) as image:
        fault = FAULTS.get(image.width)
    if fault is not None:
        fault()
    return gray_version(body, limits)


def image_with(fault: int) -> bytes:
    """Give an image that it fails on."""
    file = BytesIO()
    Image.new("L", (fault, 2)).save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    decoder_process.gray_version = failing
    decoder_process.main()
