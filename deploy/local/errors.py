"""The one error of the local stack."""


class StackError(Exception):
    """Something that the person at the terminal has to know or mend; the message is all they are shown."""
