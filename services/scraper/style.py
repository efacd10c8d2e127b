"""What a `style` attribute says about whether and how its element's text is shown."""

import re
from dataclasses import dataclass

COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
DECLARATION = re.compile(r"(?:\A|;)\s*(display|visibility|white-space)\s*:\s*([a-z-]+)[^;]*", re.IGNORECASE)
LONGEST_STYLE = 10_000
BLOCKS = {"block", "flex", "grid", "list-item", "table", "flow-root"}


@dataclass(frozen=True, slots=True)
class Style:
    """The values of the properties that matter here; empty where the attribute says nothing."""

    display: str = ""
    visibility: str = ""
    white_space: str = ""


NOTHING_SAID = Style()


def read_style(text: str | None) -> Style:
    """Read a `style` attribute (CSS Style Attributes, 3); of two declarations the later holds."""
    if not text:
        return NOTHING_SAID
    declared = {
        match[1].lower(): match[2].lower() for match in DECLARATION.finditer(COMMENT.sub(" ", text[:LONGEST_STYLE]))
    }
    return Style(declared.get("display", ""), declared.get("visibility", ""), declared.get("white-space", ""))
