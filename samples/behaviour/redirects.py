"""Answers that send the client elsewhere, or say they do."""

from __future__ import annotations

from http import HTTPStatus

from samples.answer import Answer, RefusalError, redirect, text
from samples.behaviour.pictures import jpeg, picture
from samples.visit import Visit


def hops(visit: Visit) -> Answer:
    """As many redirects as the path says, then the picture."""
    left, size = int(visit.parts["hops"]), visit.size()
    if left == 0:
        return picture(jpeg(visit))
    return redirect(f"/redirect/{left - 1}/{size.width}/{size.height}")


def loop(_visit: Visit) -> Answer:
    """Back here."""
    return redirect("/loop")


def anywhere(visit: Visit) -> Answer:
    """To whatever the query asks for: another scheme, a private address, nonsense."""
    location = visit.query.get("url", "")
    if not location or not location.isprintable():
        # A line end would let the query write headers of its own into the answer.
        raise RefusalError(HTTPStatus.BAD_REQUEST, "url must be given, without control characters")
    return redirect(location)


def nowhere(_visit: Visit) -> Answer:
    """302 without Location."""
    return text("elsewhere, but where?", HTTPStatus.FOUND)
