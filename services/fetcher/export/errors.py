"""The condition that ends an export with one line."""


class CannotExport(Exception):
    """What was asked for cannot be, or the directory cannot be written; the text says why, in a line."""
