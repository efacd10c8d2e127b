"""The file name in a URL, by which people know an image."""

import re
from urllib.parse import unquote

MOST_CHARACTERS = 512
PATH = re.compile(r"[a-z]+://[^/?#]*([^?#]*)", re.IGNORECASE)


def file_name(url: str) -> str | None:
    """Give what stands after the last slash of the URL's path, percent-decoded; None where nothing does.

    An encoded slash is a slash: a name with one in it could not stand in the path of another address. Bytes that are
    no UTF-8 are U+FFFD, as they are to whoever reads the name out of a path. A longer name than 512 characters is none.
    """
    path = PATH.match(url)
    name = unquote(path[1]).rpartition("/")[2] if path else ""
    return name if 0 < len(name) <= MOST_CHARACTERS else None
