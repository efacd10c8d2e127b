"""`url.submitted` becomes `image.fetched`, or `item.known` when there is nothing to fetch."""

from collections.abc import Iterator, Sequence
from functools import partial

from common.errors import MalformedMessage
from common.facts import ImageFetched, ItemKnown, UrlSubmitted
from common.fetching.download import Downloader
from common.fetching.signature import media_type
from common.handling import PutOff, Stage
from common.hosts import host_of
from common.message import Message, Publication
from services.fetcher.known import Knowledge, Known


class Fetcher:
    """Fetches what is still wanted and not known."""

    def __init__(self, stage: Stage, known: Known, downloader: Downloader, formats: tuple[str, ...]) -> None:
        self._stage = stage
        self._known = known
        self._downloader = downloader
        self._formats = formats

    def handle(self, messages: Sequence[Message]) -> list[list[Publication] | PutOff]:
        """Settle submitted URLs for which nothing is fetched; downloads are put off. Raises Unavailable."""
        answers: dict[int, list[Publication] | PutOff] = {}
        read: dict[int, UrlSubmitted] = {}
        for number, message in enumerate(messages):
            if early := self._stage.early(message):
                answers[number] = early
                continue
            try:
                read[number] = UrlSubmitted.from_message(message)
            except MalformedMessage as error:
                answers[number] = self._stage.bury(message, str(error))
        known = self._known.about([submitted.item for submitted in read.values()])
        for (number, submitted), knowledge in zip(read.items(), known, strict=True):
            answers[number] = self._answer(messages[number], submitted, knowledge)
        return [answers[number] for number in range(len(messages))]

    def _answer(self, message: Message, submitted: UrlSubmitted, knowledge: Knowledge) -> list[Publication] | PutOff:
        if not knowledge.wanted:
            return []
        if knowledge.md5 is not None and not submitted.refresh:
            return [self._stage.topology.fact(ItemKnown(submitted.item, knowledge.md5).to_message())]
        work = partial(self._stage.settle, self.fetch, message)
        return PutOff(host_of(submitted.item.url) or "", work, partial(self._stage.later, message))

    def fetch(self, message: Message) -> Iterator[Message]:
        """Download an image. Raises Permanent, Transient or Unavailable."""
        item = UrlSubmitted.from_message(message).item
        body = self._downloader.download(item.url).body
        yield ImageFetched.of(item, body, media_type(body, self._formats)).to_message()
