"""What the decoder's own account says."""

from collections import Counter

import psutil

from common.metrics import DECODER_ENDS
from services.grayscaler.decoder import Cause


def decoders() -> list[psutil.Process]:
    """Give the decoder processes that this process has; servers of the test run may be children of it, too."""
    return [child for child in psutil.Process().children() if any("decoder" in each for each in child.cmdline())]


def ends() -> Counter[str]:
    """Count, by cause, how many decoder processes of this test run were replaced."""
    counted: Counter[str] = Counter()
    for cause in Cause:
        [family] = DECODER_ENDS.labels(cause.value).collect()
        counted[cause.value] = int(family.samples[0].value)
    return +counted
