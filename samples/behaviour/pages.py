"""Pages of pictures, for who hands a page in and has to find what it shows."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from samples.answer import Answer, html
from samples.visit import Visit

PHOTOS = [f"/{side}/{side + 1}" for side in range(40, 75)]
TWINS = ["/same/gallery-a", "/same/gallery-b"]
TROUBLE = ["/error/gallery", "/slow/2/90/60", "/html.jpg"]
OWN_SIZE_EVERY = 10
MOST_PICTURES = 5_000


def gallery(_visit: Visit) -> Answer:
    """Forty pictures: one is dead, one slow, one is HTML, and two are the same."""
    return html(_page([*PHOTOS[:20], *TROUBLE, *TWINS, *PHOTOS[20:]]))


def large_gallery(visit: Visit) -> Answer:
    """So many pictures (5,000 at most), each tenth of a size of its own and the others the same."""
    count = min(int(visit.parts["pictures"]), MOST_PICTURES)
    return html(_page(f"/same/{n}" if n % OWN_SIZE_EVERY else f"/{n // OWN_SIZE_EVERY + 20}/20" for n in range(count)))


def _page(pictures: Iterable[str]) -> str:
    figures = "\n".join(f'<img src="{escape(picture)}" alt="">' for picture in pictures)
    return f"""<!doctype html>
<html lang="en">
<head>
<title>A gallery</title>
<meta name="description" content="Pictures to be found.">
<link rel="canonical" href="/gallery">
</head>
<body>
<nav><a href="/">Samples</a> <a href="/gallery">Gallery</a></nav>
<article>
<h1>A gallery</h1>
<p>This page is here to be handed in. Its pictures are found, fetched and stored, each of them once, however often it
is shown; and of those that cannot be had, it is said which they are and why that is so.</p>
<p>Its text is read as well. What a reader came for is the main text of the page, and this is a part of it; the links
above and the small print below are not.</p>
{figures}
</article>
<footer>Small print.</footer>
</body>
</html>
"""
