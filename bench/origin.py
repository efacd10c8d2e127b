"""The server that the images are fetched from: nginx with keep-alive, on a loopback address of its own."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

HOST = "127.0.0.2"
CONFIGURATION = """\
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log; {user}
events {{ worker_connections 1024; }}
http {{
    access_log off; sendfile on; keepalive_requests 1000000; types {{ image/jpeg jpg; }}
    client_body_temp_path {folder}/t; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t;
    uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
    server {{ listen {host}:{port}; root {root}; }}
}}
"""


@contextmanager
def serving(root: Path, folder: Path, port: int) -> Iterator[psutil.Process]:
    """Serve the files below `root` for the length of a `with` block."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if nginx is None:
        raise SystemExit("bench: nginx is missing (Debian package nginx-light)")
    user = "user root;" if psutil.Process().username() == "root" else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, user=user, host=HOST, port=port, root=root))
    process = psutil.Popen([nginx, "-e", str(folder / "nginx.log"), "-c", str(configuration)])
    try:
        yield process
    finally:
        process.send_signal(subprocess.signal.SIGQUIT)  # type: ignore[attr-defined]
        process.wait(10)
