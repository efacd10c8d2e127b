"""HTTP over a connection to an address that was checked, with a deadline on every read.

Built on requests' transport adapter: its session would resolve names and follow redirects by itself, which is what
must not happen here. A read of a socket waits at most the idle time, and never beyond the deadline of the download
its thread is on: a header that comes byte by byte ends in time, as a slow body does.
"""

import socket
import ssl
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from services.fetcher.addresses import Address
from services.fetcher.target import Target


@dataclass(frozen=True, slots=True)
class Deadline:
    """When the current download of this thread must be over (monotonic seconds), and how long a read may idle."""

    at: float
    idle_seconds: float

    def remaining(self) -> float:
        """Give the seconds a read may take; raises TimeoutError when there are none."""
        seconds = min(self.at - time.monotonic(), self.idle_seconds)
        if seconds <= 0:
            raise TimeoutError("the whole download took too long")
        return seconds


current_deadline: ContextVar[Deadline] = ContextVar("current_deadline")


class _Bounded(socket.socket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(current_deadline.get().remaining())
        return super().recv_into(*args, **kwargs)


class _BoundedTls(ssl.SSLSocket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(current_deadline.get().remaining())
        return super().recv_into(*args, **kwargs)


class _Connecting:
    """Makes the socket itself, to an address that is a literal: there is nothing left to resolve."""

    host: str
    port: int
    timeout: float

    def _new_conn(self) -> socket.socket:
        bounded = _Bounded(socket.AF_INET6 if ":" in self.host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            bounded.settimeout(min(self.timeout, current_deadline.get().remaining()))
            bounded.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            bounded.connect((self.host, self.port))
        except TimeoutError as error:
            bounded.close()
            raise ConnectTimeoutError(self, f"no connection within {self.timeout:g} s") from error
        except OSError as error:
            bounded.close()
            raise NewConnectionError(self, str(error)) from error  # type: ignore[arg-type]
        return bounded


class _HttpConnection(_Connecting, HTTPConnection):  # type: ignore[misc]
    pass


class _HttpsConnection(_Connecting, HTTPSConnection):  # type: ignore[misc]
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection  # type: ignore[assignment]


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection  # type: ignore[assignment]


class _PinnedRequest(requests.PreparedRequest):
    target: Target
    address: Address


class Transport(HTTPAdapter):
    """Sends a GET to a checked address while the certificate is verified for the name."""

    def __init__(self, *, connections_per_host: int, user_agent: str, certificates: str | None = None) -> None:
        self._tls = ssl.create_default_context(cafile=certificates or certifi.where())
        self._tls.sslsocket_class = _BoundedTls
        self._user_agent = user_agent
        super().__init__(pool_connections=64, pool_maxsize=connections_per_host)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def get(self, target: Target, address: Address, *, connect_timeout_seconds: float) -> requests.Response:
        """Ask for the target; the answer's body is still to be read. Raises requests' and urllib3's errors."""
        request = _PinnedRequest()
        request.method = "GET"
        request.url = target.url
        request.target = target
        request.address = address
        request.headers = CaseInsensitiveDict(
            {
                "Host": target.authority,
                "User-Agent": self._user_agent,
                "Accept": "image/*,*/*;q=0.5",
                "Accept-Encoding": "identity",
            }
        )
        idle_seconds = current_deadline.get().idle_seconds
        return self.send(request, stream=True, timeout=(connect_timeout_seconds, idle_seconds))

    def build_connection_pool_key_attributes(  # type: ignore[override]  # requests' own types are private
        self,
        request: requests.PreparedRequest,
        verify: object,  # noqa: ARG002
        cert: object = None,  # noqa: ARG002
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Key the pools by address and name, so that a connection is never used for another host's name."""
        assert isinstance(request, _PinnedRequest)  # noqa: S101 - for the type checker
        target = request.target
        host = {"scheme": target.scheme, "host": str(request.address), "port": target.port}
        if target.scheme == "http":
            return host, {}
        return host, {"ssl_context": self._tls, "server_hostname": target.host, "assert_hostname": target.host}
