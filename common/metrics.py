"""What is counted for Prometheus in more than one service. Values of labels are ours and few: never a host or a URL."""

from prometheus_client import Counter

from common.durations import Durations

WAITED = Durations(
    "graymill_wait_seconds", "From a message being told, or being due again, to a worker taking it up.", "queue"
)
WORKED = Durations(
    "graymill_work_seconds", "From a message being taken up, alone or in a batch, to its answer being ready.", "queue"
)
RETRIES = Counter("graymill_retries", "Messages that were put off until another try.", ["queue"])
POSTPONED = Counter("graymill_postponed", "Messages that were put off, which was no try of them.", ["queue"])
DEAD_LETTERED = Counter("graymill_dead_lettered", "Messages that nothing could be done with.", ["queue"])
UNAVAILABLE = Counter("graymill_unavailable", "Times that the database, or memory, had to be waited for.", ["queue"])
DOWNLOADED_BYTES = Counter("graymill_downloaded_bytes", "Bytes of bodies that were downloaded, refused ones included.")
DECODER_ENDS = Counter("graymill_decoder_ends", "Decoder processes that ended and were replaced.", ["cause"])
