"""Strangers' characters as they can be stored and shown."""

import re

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""C0 and C1 control characters (Unicode category Cc) except tab and newline; halves of characters, which have no UTF-8;
and the two non-characters that no XML library takes."""
WHITE_SPACE = " \t\n\f\r"
"""ASCII white space (Infra standard). A no-break space is none: it is kept."""


def cleaned(text: str) -> str:
    """Give the text without control characters; every line ends with a newline alone."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return CONTROLS.sub("", text.replace("\f", " "))


def one_line(text: str) -> str:
    """Give the text with its white space stripped and collapsed (Infra standard)."""
    return " ".join(re.split(f"[{WHITE_SPACE}]+", text.strip(WHITE_SPACE))).strip()
