"""The pages in tests/pages: each with the text and the images that are expected of it beside it.

`<name>.html` are the page's bytes, `<name>.type` its Content-Type header where it has one with a charset,
`<name>.txt` its text and `<name>.images` its images, one a line, as seen from ADDRESS.
"""

from dataclasses import dataclass
from pathlib import Path

from services.scraper.images import BrokenImage, InlineImage, PageImage
from services.scraper.page import Page, read_page

FOLDER = Path(__file__).parent / "pages"
ADDRESS = "http://site.example/pages/"
NAMES = sorted(path.stem for path in FOLDER.glob("*.html"))


@dataclass(frozen=True)
class ScrapedPage:
    name: str

    @property
    def body(self) -> bytes:
        return (FOLDER / f"{self.name}.html").read_bytes()

    @property
    def content_type(self) -> str:
        path = FOLDER / f"{self.name}.type"
        return path.read_text("utf-8").strip() if path.exists() else "text/html"

    @property
    def text(self) -> str:
        return (FOLDER / f"{self.name}.txt").read_text("utf-8").removesuffix("\n")

    @property
    def images(self) -> list[str]:
        return (FOLDER / f"{self.name}.images").read_text("utf-8").splitlines()

    def read(self, address: str = ADDRESS) -> Page:
        return read_page(self.body, f"{address}{self.name}.html", content_type=self.content_type)


def shown(image: PageImage) -> str:
    """Give an image as a line of the `.images` files."""
    match image:
        case InlineImage():
            return f"inline {image.media_type} {len(image.body)} bytes"
        case BrokenImage():
            return f"broken {image.url}: {image.detail}"
        case _:
            return image.url
