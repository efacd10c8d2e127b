"""What the decoder's own account says."""

from collections import Counter

from common.metrics import DECODER_ENDS
from services.grayscaler.decoder import Cause


def ends() -> Counter[str]:
    """Count, by cause, how many decoder processes of this test run were replaced."""
    counted: Counter[str] = Counter()
    for cause in Cause:
        [family] = DECODER_ENDS.labels(cause.value).collect()
        counted[cause.value] = int(family.samples[0].value)
    return +counted
