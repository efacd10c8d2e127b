"""The table of all that this site does; the index page is made from it."""

from __future__ import annotations

from html import escape

from samples.answer import Answer, html
from samples.behaviour import control, damage, disguises, floods, pages, pictures, redirects, refusals, waits
from samples.route import Route
from samples.visit import Visit


def index(_visit: Visit) -> Answer:
    """All paths, a line each."""
    rows = "\n".join(
        f"<tr><td>{route.method} <code>{escape(route.pattern)}</code><td>{escape(route.description)}"
        for route in ROUTES
    )
    return html(f"<!doctype html>\n<title>Samples</title>\n<h1>Samples</h1>\n<table>\n{rows}\n</table>\n")


ROUTES = (
    Route("/", index, "this page"),
    Route("/health", control.health, "OK", is_counted=False),
    Route("/requests.json", control.requests_seen, "{path: count} of the requests so far", is_counted=False),
    Route("/requests.json", control.forget_requests, "count from nothing", "DELETE", is_counted=False),
    # Pictures
    Route("/<width>/<height>", pictures.at_size, "302 to the one photo of that size; 400 over 5,000"),
    Route("/photo/<name>/<width>/<height>.<extension>", pictures.photo, "a photo, in five formats"),
    Route("/same/<anything>", pictures.same, "one picture, whatever the path"),
    Route("/changing/<width>/<height>", pictures.changing, "other bytes at each request"),
    Route("/optout/<width>/<height>", pictures.opted_out, "X-Robots-Tag: noai, or ?directive=noimageai"),
    Route("/gzipped/<width>/<height>", pictures.gzipped, "Content-Encoding: gzip, asked for or not"),
    # Pages
    Route("/gallery", pages.gallery, "a page of 40 pictures, of which 37 can be had"),
    Route("/gallery/<pictures>", pages.large_gallery, "a page of so many pictures, most of them the same"),
    # Time
    Route("/slow/<seconds>/<width>/<height>", waits.slow, "nothing for so long (60 s at most), then all"),
    Route("/drip/<bytes_per_second>/<width>/<height>", waits.dripping, "a body that comes slowly"),
    Route("/drip-head/<seconds>/<width>/<height>", waits.head_dripping, "a head byte each so many seconds"),
    # Statuses
    Route("/error/<anything>", refusals.not_found, "404"),
    Route("/gone", refusals.gone, "410"),
    Route("/forbidden", refusals.forbidden, "403"),
    Route("/broken", refusals.broken, "500"),
    Route("/busy", refusals.busy, "429, Retry-After: 86400"),
    Route(
        "/flaky/<key>/<failures>/<width>/<height>",
        refusals.flaky,
        "503 so many times for this key, Retry-After: 1 or ?retry_after=, then the picture",
    ),
    # Damage
    Route("/truncated/<width>/<height>", damage.truncated, "half of Content-Length, then closed"),
    Route("/understated/<width>/<height>", damage.understated, "twice Content-Length, then closed"),
    Route("/cut/<width>/<height>", damage.cut, "a complete answer, half a JPEG"),
    Route("/reset/<key>/<width>/<height>", damage.reset, "reset in the body, then fine for this key"),
    # Disguises
    Route("/html", disguises.page, "HTML"),
    Route("/html.jpg", disguises.page_as_jpeg, "HTML as image/jpeg"),
    Route("/mislabelled/<width>/<height>", disguises.mislabelled, "JPEG as image/png"),
    Route("/eps", disguises.eps, "EPS as image/png"),
    Route("/pdf", disguises.pdf, "PDF as image/png"),
    Route("/svg", disguises.svg, "SVG as image/png"),
    Route("/tiff", disguises.tiff, "TIFF as image/png"),
    Route("/empty", disguises.empty, "200 without a body"),
    Route("/nocontent", disguises.no_content, "204"),
    # Floods
    Route("/oversized", floods.oversized, "32 MB, announced"),
    Route("/endless", floods.endless, "chunks without end"),
    Route("/bomb", floods.bomb, "a PNG of 110 kB and 30,000 x 30,000 pixels"),
    Route("/gzip-bomb", floods.gzip_bomb, "a body of 256 kB, 256 MB once unzipped"),
    # Redirects
    Route("/redirect/<hops>/<width>/<height>", redirects.hops, "so many redirects, then the picture"),
    Route("/loop", redirects.loop, "a redirect to itself"),
    Route("/redirect-to", redirects.anywhere, "302 to ?url=, whatever that is"),
    Route("/no-location", redirects.nowhere, "302 without Location"),
)
