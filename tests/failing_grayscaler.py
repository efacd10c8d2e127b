"""The grayscaler with a decoder that has faults: `python -m tests.failing_grayscaler`."""

import runpy
from functools import partial

from services.grayscaler import decoder

if __name__ == "__main__":
    decoder.Decoder = partial(decoder.Decoder, module="tests.failing_decoder")  # type: ignore[assignment, misc]
    runpy.run_module("services.grayscaler", run_name="__main__")
