"""What the command line answers with a line and exit code 2."""


class BadInput(Exception):
    """What was asked for cannot be; the text says why."""
