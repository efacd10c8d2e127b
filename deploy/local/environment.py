"""The environment of `make up` in, `.data/stack.env` and what the services are told out."""

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from common.settings import Settings
from deploy.local.errors import StackError
from deploy.local.mongodb import MongoDB
from deploy.local.ports import LOOPBACK
from deploy.local.rabbitmq import RabbitMQ

PORTS = {
    "AMQP_PORT": 5673,
    "AMQP_DIST_PORT": 25673,
    "EPMD_PORT": 25674,
    "MONGO_PORT": 27018,
    "API_PORT": 5000,
    "SAMPLES_PORT": 8081,
}
HIGHEST_PORT = 65_535
SECRET_BYTES = 16
SAMPLES_HOST = "127.0.0.2"
SAMPLES_LIST = "samples/urls.txt"
SETTINGS = tuple(description.name.upper() for description in fields(Settings))

INTRODUCTION = """\
# Written by `make up`, private to you. Services and commands started in this checkout read it; variables of the
# environment win over it. What you change or add here is kept, and `make up` hands it on.
"""
COMMENTS = {
    "FETCH_ALLOW_NETS": "# Lets what fetches reach the sample site, and no other address that is not public.\n",
    "API_KEYS": "# Who has it may hand in, retry and delete. To replace it: NEW,OLD for a while, then NEW.\n",
}


@dataclass(frozen=True)
class StackEnvironment:
    """What `stack.env` holds, and the settings that this call's environment lays over it."""

    written: Mapping[str, str]
    overrides: Mapping[str, str]

    @classmethod
    def compose(cls, written: Mapping[str, str], environ: Mapping[str, str]) -> "StackEnvironment":
        """Merge defaults, what was written before and the environment's ports; make secrets that do not exist."""
        ports = {name: _port(name, environ.get(name) or written.get(name) or str(PORTS[name])) for name in PORTS}
        if len(set(ports.values())) < len(ports):
            raise StackError(f"{', '.join(PORTS)} must all differ")
        values = {
            "AMQP_URL": f"amqp://graymill:{_password(written.get('AMQP_URL'))}@{LOOPBACK}:{ports['AMQP_PORT']}/%2F",
            "MONGO_URL": f"mongodb://graymill:{_password(written.get('MONGO_URL'))}@{LOOPBACK}:{ports['MONGO_PORT']}"
            "/graymill?authSource=admin",
            "API_HOST": written.get("API_HOST", LOOPBACK),
            "FETCH_ALLOW_NETS": written.get("FETCH_ALLOW_NETS", f"{SAMPLES_HOST}/32"),
            "API_KEYS": written.get("API_KEYS") or secrets.token_hex(SECRET_BYTES),
            "WEBHOOK_SECRET": written.get("WEBHOOK_SECRET") or secrets.token_hex(SECRET_BYTES),
            "SAMPLES_LIST": written.get("SAMPLES_LIST", SAMPLES_LIST),
            "SAMPLES_HOST": environ.get("SAMPLES_HOST") or written.get("SAMPLES_HOST", SAMPLES_HOST),
            **{name: str(port) for name, port in ports.items()},
        }
        overrides = {name: environ[name] for name in SETTINGS if name in environ}
        return cls({**written, **values}, overrides)

    def settings(self) -> Settings:
        """What the services will read; raises ConfigurationError for a bad setting, before anything is started."""
        return Settings.from_environ({**self.written, **self.overrides})

    def port(self, name: str) -> int:
        """Give one of the stack's ports."""
        return int(self.written[name])

    def rabbitmq(self, folder: Path) -> RabbitMQ:
        """Describe the stack's broker."""
        return RabbitMQ(
            folder=folder,
            port=self.port("AMQP_PORT"),
            distribution_port=self.port("AMQP_DIST_PORT"),
            epmd_port=self.port("EPMD_PORT"),
            password=_password(self.written["AMQP_URL"]),
        )

    def mongodb(self, folder: Path) -> MongoDB:
        """Describe the stack's database server."""
        return MongoDB(folder=folder, port=self.port("MONGO_PORT"), password=_password(self.written["MONGO_URL"]))

    def render(self) -> str:
        """Give the text of `stack.env`."""
        lines = (f"{COMMENTS.get(name, '')}{name}={_quote(value)}\n" for name, value in self.written.items())
        return INTRODUCTION + "".join(lines)

    @property
    def digest(self) -> str:
        """A name for this content: services told another one have to be started anew."""
        return hashlib.sha256(self.render().encode()).hexdigest()[:16]

    def write(self, path: Path) -> None:
        """Put it on disk whole or not at all, for the owner only."""
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.render())
        draft.replace(path)


def read_stack_env(path: Path) -> dict[str, str]:
    """Read what an earlier `up` wrote; nothing, if there was none."""
    return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}


def _password(url: str | None) -> str:
    return (urlsplit(url).password if url else None) or secrets.token_hex(SECRET_BYTES)


def _port(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= HIGHEST_PORT):
        raise StackError(f"{name} must be a port from 1 to {HIGHEST_PORT}, not {text!r}")
    return int(text)


def _quote(value: str) -> str:
    if re.fullmatch(r"[\w./:@%?=&,+-]*", value, re.ASCII):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
