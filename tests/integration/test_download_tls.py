"""TLS: the connection goes to the checked address, the certificate is verified for the name."""

import random
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from common.reasons import Reason
from tests.downloading import downloader, failure, in_a_hurry, names
from tests.raw_server import Visit, answering, talking, whole
from tests.stopwatch import within

JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
HOST = "host.example"


def openssl(*arguments: str, folder: Path) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an authority, and certificates of it that are good, of another name, and out of date."""
    folder = tmp_path_factory.mktemp("tls")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", folder=folder)
    for name, host, days in (("good", HOST, "30"), ("other", "other.example", "30"), ("expired", HOST, "-1")):
        openssl("req", *new_key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={host}", folder=folder)
        (folder / "names").write_text(f"subjectAltName=DNS:{host}")
        signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days, "-extfile", "names"]
        openssl("x509", "-req", "-in", f"{name}.csr", *signing, "-out", f"{name}.pem", folder=folder)
    openssl("req", "-x509", *new_key, "-keyout", "self.key", "-out", "self.pem", "-subj", f"/CN={HOST}", folder=folder)
    return folder


class Picture(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(JPEG)))
        self.end_headers()
        self.wfile.write(JPEG)

    def log_message(self, *_arguments: object) -> None:
        """Stay quiet."""


@contextmanager
def serving(authority: Path, name: str, asked_names: list[str | None]) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / f"{name}.pem", authority / f"{name}.key")
    context.sni_callback = lambda _socket, asked, _context: asked_names.append(asked)
    with HTTPServer(("127.0.0.2", 0), Picture) as server:
        server.handle_error = lambda *_arguments: None  # type: ignore[method-assign]  # refused handshakes are the point
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_a_good_certificate_is_accepted_for_its_name_at_the_checked_address(authority: Path) -> None:
    asked: list[str | None] = []
    fetching = downloader(names(host_example=["127.0.0.2"]), certificates=str(authority / "ca.pem"))
    with serving(authority, "good", asked) as port:
        assert fetching.download(f"https://{HOST}:{port}/a.jpg").body == JPEG
    assert asked == [HOST]


@pytest.mark.parametrize("name", ["other", "expired", "self"])
def test_a_certificate_that_is_not_good_for_the_name_ends_as_tls(authority: Path, name: str) -> None:
    fetching = downloader(names(host_example=["127.0.0.2"]), certificates=str(authority / "ca.pem"))
    with serving(authority, name, []) as port:
        assert failure(fetching, f"https://{HOST}:{port}/a.jpg").reason is Reason.TLS


def test_one_connection_serves_many_downloads_from_one_name_and_none_from_another(authority: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "good.pem", authority / "good.key")
    look_up = names(host_example=["127.0.0.2"], other_example=["127.0.0.2"])
    fetching = downloader(look_up, certificates=str(authority / "ca.pem"))
    with talking(answering(whole(JPEG)), tls=context) as server:
        for _ in range(5):
            assert fetching.download(f"https://{HOST}:{server.port}/a.jpg").body == JPEG
        assert server.connections == 1
        assert failure(fetching, f"https://other.example:{server.port}/a.jpg").reason is Reason.TLS


def test_a_large_body_arrives_whole_over_tls(authority: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "good.pem", authority / "good.key")
    body = JPEG + random.Random(1).randbytes(3_000_000)
    fetching = downloader(names(host_example=["127.0.0.2"]), certificates=str(authority / "ca.pem"))
    with talking(answering(whole(body)), tls=context) as server:
        assert fetching.download(f"https://{HOST}:{server.port}/a.jpg").body == body


def test_a_handshake_that_does_not_come_about_ends_in_time(authority: Path) -> None:
    fetching = in_a_hurry(names(host_example=["127.0.0.2"]), certificates=str(authority / "ca.pem"))

    def silent(visit: Visit) -> None:
        visit.connection.recv(1)
        visit.pause(30)

    def dripping(visit: Visit) -> None:
        # A record of the handshake, announced as 16,000 bytes.
        visit.drip(b"\x16\x03\x03\x3e\x80" + bytes(16_000), 0.05)

    for script in (silent, dripping):
        with talking(script) as server, within(1 + 1):
            assert failure(fetching, f"https://{HOST}:{server.port}/a.jpg").reason is Reason.TIMEOUT


@pytest.mark.parametrize("awaited", ["head", "body"])
def test_silence_behind_a_handshake_ends_in_time(authority: Path, awaited: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "good.pem", authority / "good.key")
    fetching = in_a_hurry(names(host_example=["127.0.0.2"]), certificates=str(authority / "ca.pem"))

    def script(visit: Visit) -> None:
        visit.request()
        visit.drip((b"HTTP/1.1 200 OK\r\n\r\n" if awaited == "body" else b"HTTP/1.1 ") + bytes(1_000), 0.05)

    with talking(script, tls=context) as server, within(1 + 1):
        assert failure(fetching, f"https://{HOST}:{server.port}/a.jpg").reason is Reason.TIMEOUT


def test_a_server_without_tls_ends_as_tls(authority: Path) -> None:
    with HTTPServer(("127.0.0.2", 0), Picture) as server:
        server.handle_error = lambda *_arguments: None  # type: ignore[method-assign]
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        fetching = downloader(names(host_example=["127.0.0.2"]), certificates=str(authority / "ca.pem"))
        assert failure(fetching, f"https://{HOST}:{server.server_port}/a.jpg").reason is Reason.TLS
        thread.join()
