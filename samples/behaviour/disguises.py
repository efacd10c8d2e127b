"""Bodies that are not what their type, their name or their status says, and none at all."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from samples.album import FORMATS, Size
from samples.answer import Answer, html
from samples.behaviour.pictures import JPEG, jpeg, picture
from samples.visit import Visit

PNG = FORMATS["png"].content_type
TIFF_SIZE = Size(64, 48)
PAGE = """<!doctype html>
<title>Not a picture</title>
<h1>Not a picture</h1>
<p>A page that shows <img src="/40/41" alt="one"> and <img src="/same/page" alt="another"> picture.</p>
"""
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n0 0 8 8 rectfill\nshowpage\n%%EOF\n"
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 8 8]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>\n'


def page(_visit: Visit) -> Answer:
    """HTML that says so."""
    return html(PAGE)


def page_as_jpeg(_visit: Visit) -> Answer:
    """HTML that says it is a JPEG."""
    return replace(html(PAGE), content_type=JPEG)


def mislabelled(visit: Visit) -> Answer:
    """A JPEG that says it is a PNG."""
    return picture(jpeg(visit), PNG)


def eps(_visit: Visit) -> Answer:
    """PostScript that says it is a PNG."""
    return picture(EPS, PNG)


def pdf(_visit: Visit) -> Answer:
    """A document that says it is a PNG."""
    return picture(PDF, PNG)


def svg(_visit: Visit) -> Answer:
    """A drawing that says it is a PNG."""
    return picture(SVG, PNG)


def tiff(visit: Visit) -> Answer:
    """A TIFF that says it is a PNG."""
    return picture(visit.memory.album.picture("rocket", TIFF_SIZE, "tiff"), PNG)


def empty(_visit: Visit) -> Answer:
    """200 and no body."""
    return Answer(HTTPStatus.OK, JPEG)


def no_content(_visit: Visit) -> Answer:
    """204."""
    return Answer(HTTPStatus.NO_CONTENT)
