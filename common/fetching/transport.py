"""HTTP over a connection to an address that was checked, with a deadline on every read.

Built on requests' transport adapter: its session would resolve names and follow redirects by itself, which is what
must not happen here. Its sockets bound each read: a header that comes byte by byte ends in time, as a slow body does.
"""

import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from common.fetching.addresses import Address
from common.fetching.deadline import current_deadline
from common.fetching.sockets import LONGEST_HEAD_BYTES, BoundedSocket, BoundedTlsSocket
from common.fetching.target import Target

IMAGES = "image/*,*/*;q=0.5"
PAGES = "text/html,application/xhtml+xml,*/*;q=0.5"
MOST_IDLE_CONNECTIONS = 512
"""Kept open for the next request, to all hosts together: half the files that a process may usually have open."""
MOST_ADDRESSES = 2
"""Of a host's addresses so many are tried, one after the other, until one can be connected to."""


class _Connecting:
    """Makes the socket itself, to an address that is a literal: there is nothing left to resolve."""

    host: str
    port: int
    timeout: float
    sock: Any

    def _new_conn(self) -> socket.socket:
        until = time.monotonic() + min(self.timeout, current_deadline.get().remaining())
        bounded: BoundedSocket | None = None
        try:
            bounded = BoundedSocket(socket.AF_INET6 if ":" in self.host else socket.AF_INET, socket.SOCK_STREAM)
            bounded.settimeout(_left_seconds(until))
            bounded.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            bounded.connect((self.host, self.port))
            # A TLS handshake follows within the same time-out, and so has what is left of it.
            bounded.settimeout(_left_seconds(until))
        except OSError as error:
            if bounded is not None:
                bounded.close()
            if isinstance(error, TimeoutError):
                raise ConnectTimeoutError(self, f"no connection within {self.timeout:g} s") from error
            raise NewConnectionError(self, str(error)) from error  # type: ignore[arg-type]
        return bounded

    def getresponse(self) -> Any:
        bounded = self.sock  # an answer that ends with the connection takes it away from here
        bounded.head_bytes_left = LONGEST_HEAD_BYTES
        try:
            return super().getresponse()  # type: ignore[misc]
        finally:
            bounded.head_bytes_left = None


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
    """Sends requests to checked addresses while the certificate is verified for the name."""

    def __init__(
        self, *, connections_per_host: int, user_agent: str, accept: str = IMAGES, certificates: str | None = None
    ) -> None:
        self._tls = ssl.create_default_context(cafile=certificates or certifi.where())
        self._tls.sslsocket_class = BoundedTlsSocket
        self._headers = {"User-Agent": user_agent, "Accept": accept, "Accept-Encoding": "identity"}
        hosts = max(8, MOST_IDLE_CONNECTIONS // connections_per_host)
        super().__init__(pool_connections=hosts, pool_maxsize=connections_per_host)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def get(self, target: Target, addresses: Sequence[Address], *, connect_timeout_seconds: float) -> requests.Response:
        """Ask for the target; the answer's body is still to be read. Raises requests' and urllib3's errors."""
        return self._send(_request("GET", target, self._headers), addresses, connect_timeout_seconds)

    def post(
        self,
        target: Target,
        addresses: Sequence[Address],
        body: bytes,
        headers: Mapping[str, str],
        *,
        connect_timeout_seconds: float,
    ) -> requests.Response:
        """Hand a body over; otherwise as `get`."""
        request = _request("POST", target, {**self._headers, **headers, "Content-Length": str(len(body))})
        request.body = body
        return self._send(request, addresses, connect_timeout_seconds)

    def _send(
        self, request: _PinnedRequest, addresses: Sequence[Address], connect_timeout_seconds: float
    ) -> requests.Response:
        timeout = (connect_timeout_seconds, current_deadline.get().idle_seconds)
        *others, last = addresses[:MOST_ADDRESSES]
        for request.address in others:
            try:
                return self.send(request, stream=True, timeout=timeout)
            except requests.ConnectionError as error:
                if not _did_not_connect(error):
                    raise
        request.address = last
        return self.send(request, stream=True, timeout=timeout)

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: object,  # noqa: ARG002
        proxies: object = None,  # noqa: ARG002
        cert: object = None,  # noqa: ARG002
    ) -> HTTPConnectionPool:
        """Key the pools by address and name, so that a connection is never used for another host's name.

        Without TLS the name is left out again when urllib3 makes the pool, but not of the key.
        """
        target, address = _pinned(request)
        host = {"scheme": target.scheme, "host": str(address), "port": target.port}
        tls = {"ssl_context": self._tls, "server_hostname": target.host}
        key: Any = (target.scheme, address, target.port, target.host)
        pool: HTTPConnectionPool = self.poolmanager.connection_from_pool_key(key, host | tls)
        return pool

    def build_response(self, request: requests.PreparedRequest, answer: Any) -> requests.Response:
        """Leave the cookies and the encoding out, which nobody asks for: a quarter of the work of a small download."""
        response = requests.Response()
        response.status_code = answer.status
        response.reason = answer.reason
        response.headers = answer.headers
        response.url = request.url or ""
        response.raw = answer
        return response

    def cert_verify(self, *_: object) -> None:
        """Leave the pool as it is: it has our context, and requests would load the certificates at each connection."""

    def request_url(self, request: requests.PreparedRequest, proxies: object) -> str:  # noqa: ARG002
        """Ask for the path as it was read, not as it would be read a second time."""
        return _pinned(request)[0].path


def _left_seconds(until: float) -> float:
    """Give a time-out that ends then, though the moment be over: nothing may have run for a while."""
    return max(0.001, until - time.monotonic())


def _request(method: str, target: Target, headers: Mapping[str, str]) -> _PinnedRequest:
    request = _PinnedRequest()
    request.method = method
    request.url = target.url
    request.target = target
    request.headers = CaseInsensitiveDict({"Host": target.authority, **headers})
    return request


def _pinned(request: requests.PreparedRequest) -> tuple[Target, Address]:
    assert isinstance(request, _PinnedRequest)  # noqa: S101 - for the type checker
    return request.target, request.address


def _did_not_connect(error: requests.ConnectionError) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError | ConnectTimeoutError)
