"""The errors of the HTTP libraries, translated once into reasons."""

import http.client
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3
from urllib3 import exceptions

from common.errors import ItemError, Permanent, Transient
from common.reasons import Reason


@contextmanager
def translated(broken: Reason = Reason.CONNECT) -> Iterator[None]:
    """Raise what went wrong on the wire as Permanent or Transient, its cause kept.

    `broken` is the reason when the connection broke off, which the moment decides: before an answer or in its body.
    """
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise _reason(error, broken) from error
    except (ValueError, UnicodeError) as error:
        # Out of the standard library's parser, for an answer that is no HTTP.
        kind = Permanent if broken is Reason.CONNECT else Transient
        raise kind(broken, f"no HTTP answer: {error}"[:200]) from error


def _reason(error: Exception, broken: Reason) -> ItemError:
    chain = list(_chain(error))
    tls = next((cause for cause in chain if isinstance(cause, ssl.SSLError)), None)
    if tls is not None:
        # A server that hangs up in the middle may do better the next time; its certificate will not.
        return (Transient if isinstance(tls, ssl.SSLEOFError) else Permanent)(Reason.TLS, _text(tls))
    # urllib3 counts a refused connection among its time-outs; what the socket said is at the chain's end.
    refused = any(isinstance(cause, exceptions.NewConnectionError) for cause in chain)
    if not refused and any(isinstance(cause, TimeoutError | exceptions.TimeoutError) for cause in chain):
        return Transient(Reason.TIMEOUT, _text(chain[-1]))
    if any(isinstance(cause, http.client.IncompleteRead) for cause in chain):
        return Transient(Reason.INCOMPLETE_BODY, _text(chain[-1]))
    return Transient(broken, _text(chain[-1]))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Walk from what was raised to what it came from; the libraries hide that in several places."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        hidden = getattr(current, "reason", None)
        inner = [cause for cause in (hidden, *current.args) if isinstance(cause, BaseException)]
        current = inner[0] if inner else current.__cause__ or current.__context__


def _text(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:200]
