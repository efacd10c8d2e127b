"""A list to try, out of the file that SAMPLES_LIST names."""

from pathlib import Path

from common.errors import ConfigurationError
from common.settings import Settings


def read_samples(settings: Settings) -> str | None:
    """Give the list's text, None where there is none. Raises ConfigurationError when it cannot be read."""
    if not settings.samples_list:
        return None
    try:
        return Path(settings.samples_list).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"SAMPLES_LIST: cannot be read: {error}") from error
