"""By which names the API may be asked: none that a stranger could have lead here."""

import pytest

from common.settings import Settings
from services.api.asked_hosts import AskedHosts

SETTINGS = Settings.from_environ({"API_HOST": "Office.example", "API_HOSTS": "images.example.com, api"})
HOSTS = AskedHosts.of(SETTINGS)


@pytest.mark.parametrize(
    "header",
    [
        *("localhost", "localhost:5000", "LOCALHOST", "localhost.", "graymill.localhost:80"),
        *("127.0.0.1:5000", "10.1.2.3", "[::1]:5000", "[2001:db8::1]"),
        *("office.example:5000", "images.example.com", "IMAGES.example.com.:443", "api:5000"),
    ],
)
def test_addresses_and_known_names_are_taken(header: str) -> None:
    assert HOSTS.takes(header)


@pytest.mark.parametrize(
    "header",
    [
        *("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:5000", "xlocalhost"),
        *("images.example.com.evil.example", "www.images.example.com", "2130706433", "0x7f.1", "127.1"),
        *("localhost@evil.example", "localhost:5000:80", "localhost/", " localhost", "localhost\n", "[::1", "::1"),
        *("[localhost]", ":5000", ".", "", "löcalhost", "localhost:port"),
    ],
)
def test_any_other_is_not(header: str) -> None:
    assert not HOSTS.takes(header)
