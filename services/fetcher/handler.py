"""`url.submitted` becomes `image.fetched`, or `item.known` when there is nothing to fetch."""

from collections.abc import Iterator

from common.facts import ImageFetched, ItemKnown, UrlSubmitted
from common.fetching.download import Downloader
from common.fetching.signature import media_type
from common.message import Message
from services.fetcher.known import Known


class Fetcher:
    """Fetches what is still wanted and not known."""

    def __init__(self, known: Known, downloader: Downloader, formats: tuple[str, ...]) -> None:
        self._known = known
        self._downloader = downloader
        self._formats = formats

    def handle(self, message: Message) -> Iterator[Message]:
        """Handle one submitted URL. Raises Permanent, Transient or Unavailable."""
        submitted = UrlSubmitted.from_message(message)
        item = submitted.item
        knowledge = self._known.about(item)
        if not knowledge.wanted:
            return
        if knowledge.md5 is not None and not submitted.refresh:
            yield ItemKnown(item, knowledge.md5).to_message()
            return
        body = self._downloader.download(item.url).body
        yield ImageFetched.of(item, body, media_type(body, self._formats)).to_message()
