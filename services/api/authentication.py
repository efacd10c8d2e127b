"""Who asks: a program by the key that it sends, a person by the session that signing in with a key has opened."""

from urllib.parse import urlsplit

from flask import Response, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized
from werkzeug.urls import iri_to_uri

from services.api.declared import is_reading
from services.api.keys import SESSION_SECONDS
from services.api.resources import resources

SESSION = "graymill_session"
HOW = "Send `Authorization: Bearer KEY`, or sign in at /sign-in."
NO_KEY = "Changing anything here needs an API key. " + HOW
WRONG_KEY = "This is none of the keys that are taken here."
NO_KEYS = (
    "No key is set here, so nothing can be handed in or changed: set `API_KEYS`, or, where nobody else can reach this, "
    "`API_WRITES=open`."
)


def identify() -> None:
    """Note the key that the current request comes with, by its digest, None without one that is taken."""
    keys = resources().keys
    session = request.cookies.get(SESSION)
    g.session_key = keys.find_session(session) if session else None
    bearer = _bearer()
    g.key = g.session_key if bearer is None else keys.find(bearer)


def authorize() -> None:
    """Raise Unauthorized when the current request needs a key and has none."""
    if may_write() or not resources().declared.needs_key(request):
        return
    if not resources().keys:
        raise unauthorized(NO_KEYS)
    if _bearer() is not None:
        raise unauthorized(WRONG_KEY, error="invalid_token")
    raise unauthorized(NO_KEY)


def unauthorized(sentence: str, **parameters: str) -> Unauthorized:
    """Make the error, with what is asked for as RFC 6750 writes it."""
    return Unauthorized(sentence, www_authenticate=WWWAuthenticate("bearer", {"realm": "Graymill API", **parameters}))


def asks_for_keys() -> bool:
    """Tell whether writing needs a key here."""
    return resources().settings.api_writes == "keys"


def may_write() -> bool:
    """Tell whether who asks may change something."""
    return not asks_for_keys() or g.get("key") is not None


def is_signed_in() -> bool:
    """Tell whether it is a person with a session."""
    return asks_for_keys() and g.get("session_key") is not None


def current_address() -> str:
    """Give where to go back to after signing in: the current page, or home after a form was sent."""
    address = urlsplit(iri_to_uri(request.url))
    return f"{address.path}?{address.query}".removesuffix("?") if is_reading(request) else "/"


def begin_session(response: Response, digest: bytes) -> None:
    """Have the browser keep a session for a while; it sends it with requests of our own pages only."""
    session = resources().keys.open_session(digest)
    response.set_cookie(
        SESSION, session, max_age=SESSION_SECONDS, httponly=True, samesite="Strict", secure=request.is_secure
    )


def end_session(response: Response) -> None:
    """Take the session of the current request no more, and have the browser forget it."""
    resources().keys.end_session(request.cookies.get(SESSION, ""))
    response.delete_cookie(SESSION, httponly=True, samesite="Strict", secure=request.is_secure)


def _bearer() -> str | None:
    """Give what is sent as a key, None if nothing is."""
    # Not as Werkzeug reads the header, which is for all schemes and fails on what it cannot decode.
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
