"""Settings: every default holds, a bad value is told in a line that names it, and no secret is told."""

from dataclasses import fields

import pytest

from common.errors import ConfigurationError
from common.settings import Settings

NAMES = [description.name.upper() for description in fields(Settings)]
BAD = {
    "AMQP_URL": "http://broker/",
    "MONGO_URL": "broker",
    "AMQP_PREFIX": "UPPER",
    "AMQP_HEARTBEAT_SECONDS": "4",
    "QUEUE_TYPE": "stream",
    "QUEUE_MAX_BYTES": "1",
    "RETRY_DELAYS_SECONDS": "30,5",
    "HELD_BYTES": "lots",
    "MAX_BODY_BYTES": "15728641",
    "MAX_GRAY_BYTES": "0",
    "MAX_PIXELS": "4e7",
    "IMAGE_FORMATS": "PNG,EPS",
    "DECODE_SECONDS": "0",
    "DECODE_MEMORY_BYTES": "1",
    "KEEP_ORIGINALS": "maybe",
    "MAX_URL_LENGTH": "8193",
    "MAX_REDIRECTS": "-1",
    "CONNECT_TIMEOUT_SECONDS": "0",
    "IDLE_TIMEOUT_SECONDS": "nan",
    "TOTAL_TIMEOUT_SECONDS": "inf",
    "RETRY_AFTER_MAX_SECONDS": "an hour",
    "FETCH_CONCURRENCY": "0",
    "FETCH_PER_HOST": "0",
    "FETCH_HOST_FAILURES": "0",
    "FETCH_ROBOTS": "some",
    "FETCH_ALLOW_NETS": "127.0.0.1/33",
    "HONOUR_OPT_OUT": "2",
    "API_PORT": "65536",
    "API_THREADS": "",
    "API_MAX_BODY_BYTES": "1023",
    "API_MAX_URLS": "0",
    "API_WRITES": "closed",
    "API_KEYS": "0123456789abcdef,short",
    "API_REQUESTS_PER_MINUTE": "-1",
    "API_HOSTS": "http://images.example.com",
    "API_TRUSTED_PROXIES": "11",
    "SCRAPE_CONCURRENCY": "0",
    "PAGE_MAX_IMAGES": "5001",
    "WEBHOOK_SECRET": "too short",
    "METRICS_PORT": "65536",
    "LOG_LEVEL": "verbose",
    "LOG_FORMAT": "xml",
    "STALLED_SECONDS": "0",
}
CHECKED = [description.name.upper() for description in fields(Settings) if description.metadata["parse"] is not str]


def complaint(name: str, value: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_environ({name: value})
    return str(refused.value)


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_environ({})
    assert settings.amqp_url == "amqp://127.0.0.1:5672/%2F"
    assert settings.max_pixels == 40_000_000
    assert settings.image_formats == ("PNG", "JPEG", "GIF", "WEBP", "BMP")
    assert settings.retry_delays_seconds == (5, 30, 300)
    assert settings.fetch_allow_nets == ()


def test_every_setting_is_explained() -> None:
    assert all(description.metadata["meaning"] for description in fields(Settings))


@pytest.mark.parametrize("name", NAMES)
def test_a_default_written_out_is_the_default(name: str) -> None:
    default = next(field.metadata["default"] for field in fields(Settings) if field.name.upper() == name)
    assert Settings.from_environ({name: f" {default} "}) == Settings.from_environ({})


@pytest.mark.parametrize("name", CHECKED)
def test_a_bad_value_is_one_line_that_names_the_variable(name: str) -> None:
    sentence = complaint(name, BAD[name])
    assert sentence.startswith(f"{name}: ")
    assert "\n" not in sentence


@pytest.mark.parametrize("name", ["AMQP_PREFIX", "MAX_PIXELS", "FETCH_ALLOW_NETS", "LOG_LEVEL"])
def test_a_line_break_in_a_value_breaks_no_line(name: str) -> None:
    assert "\n" not in complaint(name, "one\ntwo")


def test_a_bad_value_is_shown() -> None:
    assert complaint("MAX_PIXELS", "4e7") == "MAX_PIXELS: must be a whole number, not '4e7'"


@pytest.mark.parametrize("name", ["AMQP_URL", "MONGO_URL"])
def test_the_password_in_a_bad_url_is_not_told(name: str) -> None:
    assert "secret" not in complaint(name, "redis://user:secret@host/")


@pytest.mark.parametrize("password", ["hun/ter2", "hun?ter2", "hun#ter2", "hun[ter2", "5672/ter2"])
@pytest.mark.parametrize("name", ["AMQP_URL", "MONGO_URL"])
def test_no_part_of_a_password_passes_for_another_part_of_the_url(name: str, password: str) -> None:
    scheme = {"AMQP_URL": "amqp", "MONGO_URL": "mongodb"}[name]
    sentence = complaint(name, f"{scheme}://graymill:{password}@host/graymill")
    assert sentence == f"{name}: must have its user name and password percent-encoded"


@pytest.mark.parametrize("name", ["WEBHOOK_SECRET", "API_KEYS"])
def test_a_bad_secret_is_not_told(name: str) -> None:
    assert "hunter2" not in complaint(name, "hunter2")


@pytest.mark.parametrize("value", ["user:secret@host:5672", "amqp:/user:secret@host", "amqp//user:secret@host"])
def test_the_password_in_something_that_is_hardly_a_url_is_not_told(value: str) -> None:
    assert "secret" not in complaint("AMQP_URL", value)


@pytest.mark.parametrize("value", ["", ",", "0", "5,5", "30,5", "5;30", "86401", "1.5"])
def test_retry_delays_are_rising_whole_seconds(value: str) -> None:
    assert complaint("RETRY_DELAYS_SECONDS", value)


def test_lists_may_have_blanks_and_small_letters() -> None:
    settings = Settings.from_environ({"IMAGE_FORMATS": "png, tiff", "FETCH_ALLOW_NETS": " 127.0.0.2/32 , ::1/128 "})
    assert settings.image_formats == ("PNG", "TIFF")
    assert [str(network) for network in settings.fetch_allow_nets] == ["127.0.0.2/32", "::1/128"]


@pytest.mark.parametrize(("text", "value"), [("true", True), ("YES", True), ("0", False), ("No", False)])
def test_a_switch_reads_the_usual_words(text: str, value: bool) -> None:
    assert Settings.from_environ({"KEEP_ORIGINALS": text}).keep_originals is value


def test_a_variable_of_no_setting_is_left_alone() -> None:
    assert Settings.from_environ({"PATH": "/bin", "MAX_PIXEL": "nonsense"}) == Settings.from_environ({})
