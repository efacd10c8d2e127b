"""`python -m bench.peers.scrapy_images URLS FOLDER`: Scrapy's own images pipeline, with nothing that holds it back."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scrapy import Spider
from scrapy.crawler import CrawlerProcess

CONCURRENCY = 64


class Images(Spider):  # type: ignore[misc]
    """Hands each URL of a file to the pipeline.

    The file is itself a request: without any, the engine would look only every five seconds whether all is done.
    """

    name = "images"

    def parse(self, response: Any) -> Iterator[dict[str, list[str]]]:
        """Give the items."""
        for url in response.text.split():
            yield {"image_urls": [url]}


def main(urls: str, folder: str) -> None:
    """Fetch every URL of the file into the folder."""
    settings = {
        "ITEM_PIPELINES": {"scrapy.pipelines.images.ImagesPipeline": 1},
        "IMAGES_STORE": folder,
        "CONCURRENT_ITEMS": CONCURRENCY,
        "CONCURRENT_REQUESTS": CONCURRENCY,
        "CONCURRENT_REQUESTS_PER_DOMAIN": CONCURRENCY,
        "DOWNLOAD_DELAY": 0,
        "AUTOTHROTTLE_ENABLED": False,
        "ROBOTSTXT_OBEY": False,
        "COOKIES_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "WARNING",
    }
    crawler = CrawlerProcess(settings)
    crawler.crawl(Images, start_urls=[Path(urls).absolute().as_uri()])
    crawler.start()


if __name__ == "__main__":
    main(*sys.argv[1:])
