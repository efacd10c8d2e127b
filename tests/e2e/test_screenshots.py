"""Pictures of the pages, for the README: `make screenshots`; any other run leaves them where tests write."""

import io
import os
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser_world import browsing
from tests.stack_world import running

FOLDER = os.environ.get("SCREENSHOTS", "")
MOST_BYTES = 250_000
WINDOW = {"width": 1280, "height": 860}
PATIENCE_MILLISECONDS = 240_000
ADDRESSES = {
    "home": "/",
    "task": "/url_tasks/{task}",
    "lines": "/url_tasks/{task}/items?reason=http_4xx",
    "gallery": "/images",
    "image": "/images/{image}",
    "statistics": "/stats/{image}",
    "monitoring": "/monitoring?minutes=15",
    "docs": "/docs",
}
"""What is shown once all samples have their outcomes, each in light and dark; `{task}` is their task, `{image}` one."""


def small_png(picture: bytes) -> bytes:
    """Give the picture again, with as many colours as the bound leaves room for."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colors in (256, 128, 64, 32):
        written = io.BytesIO()
        image.quantize(colors, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
        if written.tell() <= MOST_BYTES:
            return written.getvalue()
    raise AssertionError(f"more than {MOST_BYTES:,} bytes even with few colours")


def shoot(page: Page, name: str, folder: Path) -> None:
    """Write what the window shows, in light and dark."""
    for scheme, ending in (("light", ""), ("dark", "-dark")):
        page.emulate_media(color_scheme=scheme)
        (folder / f"{name}{ending}.png").write_bytes(small_png(page.screenshot(animations="disabled")))


def test_pictures_of_the_pages(rabbitmq, mongodb, tmp_path):
    with running(rabbitmq, mongodb, tmp_path) as stack, browsing() as browser:
        page = browser.new_page(viewport=WINDOW)
        page.goto(stack.address)
        page.get_by_role("button", name="Load the samples").click()
        task = page.url.rpartition("/")[2]
        expect(page.locator("[data-summary]")).to_contain_text("Every URL", timeout=PATIENCE_MILLISECONDS)
        image = page.request.get(f"{stack.address}/images?limit=1").json()["images"][0]["md5"]
        for name, address in ADDRESSES.items():
            page.goto(f"{stack.address}{address.format(task=task, image=image)}", wait_until="networkidle")
            shoot(page, name, Path(FOLDER) if FOLDER else tmp_path)
