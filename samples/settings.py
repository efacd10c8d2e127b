"""The environment in, the address that the site listens on out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# Not 127.0.0.1: the fetcher's allow list can then name this loopback address alone, and the one that
# the database and the broker listen on stays blocked.
DEFAULT_HOST = "127.0.0.2"
DEFAULT_PORT = 8081
HIGHEST_PORT = 65_535


class SettingError(ValueError):
    """A variable of the environment holds what it may not; the message names it."""


@dataclass(frozen=True)
class Settings:
    """Where the site listens; port 0 takes a free one."""

    host: str
    port: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """SAMPLES_HOST and SAMPLES_PORT, or their defaults. Raises SettingError."""
        host = environment.get("SAMPLES_HOST") or DEFAULT_HOST
        port_text = environment.get("SAMPLES_PORT") or str(DEFAULT_PORT)
        if not (re.fullmatch("[0-9]{1,5}", port_text) and int(port_text) <= HIGHEST_PORT):
            raise SettingError(f"SAMPLES_PORT must be 0 to {HIGHEST_PORT}, not {port_text!r}")
        return cls(host, int(port_text))
