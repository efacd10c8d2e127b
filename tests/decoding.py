"""What is seen of decoder processes: which there are, the memory they had, how they ended."""

from collections import Counter
from pathlib import Path

import psutil

from common.metrics import DECODER_ENDS
from services.grayscaler.decoder import Cause


def decoders() -> list[psutil.Process]:
    """Give the decoder processes that this process has; servers of the test run may be children of it, too."""
    return [child for child in psutil.Process().children() if any("decoder" in each for each in child.cmdline())]


def peak_mebibytes(pid: int) -> int:
    """Give the most memory that a process has had."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024


def ends() -> Counter[str]:
    """Count, by cause, how many decoder processes of this test run were replaced."""
    counted: Counter[str] = Counter()
    for cause in Cause:
        [family] = DECODER_ENDS.labels(cause.value).collect()
        counted[cause.value] = int(family.samples[0].value)
    return +counted
