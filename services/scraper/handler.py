"""`page.submitted` becomes a stored page, the facts of its images, and `page.scraped`."""

from collections.abc import Iterator

from common.deletion import cancel
from common.errors import Permanent
from common.facts import ImageFetched, ItemFailed, PageScraped, PageSubmitted, UrlSubmitted
from common.fetching.download import Downloader
from common.fetching.signature import media_type
from common.items import Item, line_of
from common.ledger import Ledger
from common.message import Message
from common.reasons import Reason
from common.settings import Settings
from services.scraper.html import check_html
from services.scraper.images import BrokenImage, InlineImage, PageImage
from services.scraper.page import read_page
from services.scraper.store import Pages, Stored

STAGE = "scraper"


class Scraper:
    """Reads pages. A page is stored before anything follows from it; who comes again finds what was read."""

    def __init__(self, ledger: Ledger, pages: Pages, downloader: Downloader, settings: Settings) -> None:
        self._ledger = ledger
        self._pages = pages
        self._downloader = downloader
        self._formats = settings.image_formats
        self._most_bytes = settings.max_body_bytes
        self._most_images = settings.page_max_images

    def handle(self, message: Message) -> Iterator[Message]:
        """Handle one submitted page. Raises Permanent, Transient or Unavailable."""
        submitted = PageSubmitted.from_message(message)
        item = submitted.item
        if self._pages.is_deleted(item.task_id) or not self._pages.is_wanted(item):
            return
        page = self._pages.find(item) or self._read(submitted)
        if submitted.images:
            yield from self._tell_images(item, page, refresh=submitted.refresh)
        yield PageScraped(item).to_message()

    def _read(self, submitted: PageSubmitted) -> Stored:
        download = self._downloader.download(submitted.item.url)
        check_html(download.body, download.content_type)
        page = read_page(download.body, download.url, content_type=download.content_type, limit=self._most_images)
        return self._pages.keep(submitted.item, download.url, page, images=submitted.images)

    def _tell_images(self, page: Item, stored: Stored, *, refresh: bool) -> Iterator[Message]:
        """Write an item for each image, and tell of those that are pending: the others were told of before."""
        self._ledger.add_items(page.task_id, 1, [image.url for image in stored.images])
        self._ledger.close_task(page.task_id, 1 + len(stored.images))
        if self._pages.is_deleted(page.task_id):
            cancel(self._ledger.database, page.task_id)
            return
        for items in self._ledger.pending(page.task_id):
            for item in items:
                line = line_of(item.item_id)
                if line > 0:
                    yield self._fact(item, stored.images[line - 1], refresh=refresh)

    def _fact(self, item: Item, image: PageImage, *, refresh: bool) -> Message:
        match image:
            case InlineImage():
                return self._inline(item, image)
            case BrokenImage():
                return ItemFailed(item, STAGE, Reason.INVALID_URL, image.detail).to_message()
            case _:
                return UrlSubmitted(item, refresh=refresh).to_message()

    def _inline(self, item: Item, image: InlineImage) -> Message:
        """Tell of an image that stands in the page as the fetcher tells of one that it fetched."""
        if len(image.body) > self._most_bytes:
            detail = f"more than {self._most_bytes:,} bytes"
            return ItemFailed(item, STAGE, Reason.TOO_LARGE, detail).to_message()
        try:
            kind = media_type(image.body, self._formats)
        except Permanent as error:
            return ItemFailed(item, STAGE, error.reason, error.detail).to_message()
        return ImageFetched.of(item, image.body, kind).to_message()
