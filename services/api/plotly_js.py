"""plotly.js as the plotly package brings it, so that a browser asks no other host for it."""

import base64
import gzip
import hashlib
import re
from functools import cached_property

from plotly import offline


class PlotlyJs:
    """The script, 4.8 MB, and its gzip form, 1.5 MB; each is made at its first use and then kept."""

    @cached_property
    def version(self) -> str:
        """Give the version; it is part of the address, so that the script can be cached for ever."""
        return str(offline.get_plotlyjs_version())

    @cached_property
    def script(self) -> bytes:
        """Give the script."""
        return str(offline.get_plotlyjs()).encode()

    @cached_property
    def style_id(self) -> str:
        """Give the id by which the script knows that the style of its maps is in the page, so that it adds none.

        Our policies would refuse it, and we draw no maps: the script's own element has this id.
        """
        found = re.search(rb'getElementById\("([0-9a-f]{64})"\)', self.script)
        return found[1].decode() if found else "plotly"

    @cached_property
    def digest(self) -> str:
        """Give what a Content-Security-Policy names it by, where it stands in a page."""
        return source_digest(self.script)

    @cached_property
    def gzipped(self) -> bytes:
        """Give the script compressed."""
        return gzip.compress(self.script, compresslevel=9, mtime=0)


def source_digest(script: bytes) -> str:
    """Give the digest of a script as a Content-Security-Policy writes it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}"
