"""The condition that ends an export with one line."""

from services.fetcher.errors import BadInput


class CannotExport(BadInput):
    """What was asked for cannot be, or the directory cannot be written; the text says why, in a line."""
