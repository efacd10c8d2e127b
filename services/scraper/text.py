"""Everything a page shows as text.

After the HTML standard's `innerText` (3.2.7) and its default style sheet (15.3). Not followed: style sheets and
scripts, which may hide, show or add text. Decided here, where a browser's answer depends on them or on a person:
  noscript      left out: it speaks to browsers without scripts
  aria-hidden   shown: it hides from screen readers, not from the screen
  details       shown, also closed: a click away, and meant to be read
  dialog        shown when it has `open`; `popover` is not shown
  textarea      left out, as by innerText: it is a form's content; so are `input` values, and `alt` texts
  iframe srcdoc shown, though innerText leaves it out; so is `<template shadowrootmode>`
  hidden        left out, `until-found` as well
Left out besides: control characters, spaces beside an image that ends a line, the empty line at the end of a `<pre>`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from lxml import etree
from lxml.html import HtmlElement

from services.scraper.lines import Lines
from services.scraper.style import BLOCKS, Style, read_style

NEVER_SHOWN = {
    *("area", "base", "basefont", "datalist", "link", "meta", "noembed", "noscript", "param", "rp", "script"),
    *("style", "template", "title", "source", "track"),
    *("audio", "canvas", "embed", "frame", "img", "input", "object", "textarea", "video", "progress", "meter"),
    *("desc", "metadata", "defs", "symbol", "annotation", "annotation-xml"),
}
"""HTML standard, 15.3.1 ("hidden elements"); what has content only for browsers that do not know the element (4.8);
and the parts of SVG and MathML that are not drawn."""
PARAGRAPHS = {"p"}
BLOCK_ELEMENTS = {
    *("address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "dir", "div", "dl"),
    *("dt", "fieldset", "figcaption", "figure", "footer", "form", "frameset", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("header", "hgroup", "hr", "html", "iframe", "legend", "li", "listing", "main", "menu", "nav", "noframes", "ol"),
    *("optgroup", "option", "plaintext", "pre", "search", "section", "select", "slot", "summary", "table", "caption"),
    *("tbody", "thead", "tfoot", "text", "ul", "xmp"),
}
"""HTML standard, 15.3.3 to 15.3.10: `display: block`, `list-item` and the parts of tables; and SVG's `<text>`."""
PRESERVING = {"listing", "plaintext", "pre", "xmp"}
CELLS = {"td", "th"}
INVISIBLE = {"hidden", "collapse"}


class Box(Enum):
    """How an element's text stands among its neighbours'."""

    INLINE = auto()
    BREAK = auto()
    BLOCK = auto()
    PARAGRAPH = auto()
    ROW = auto()
    CELL = auto()
    NONE = auto()


class WhiteSpace(Enum):
    """What happens to a text's white space (CSS Text 3, 3)."""

    COLLAPSED = auto()
    LINES_KEPT = auto()
    KEPT = auto()


WHITE_SPACES: Mapping[str, WhiteSpace] = {
    **dict.fromkeys(("normal", "nowrap"), WhiteSpace.COLLAPSED),
    **dict.fromkeys(("pre", "pre-wrap", "break-spaces"), WhiteSpace.KEPT),
    "pre-line": WhiteSpace.LINES_KEPT,
}
BOXES: Mapping[str, Box] = {
    **dict.fromkeys(BLOCK_ELEMENTS, Box.BLOCK),
    **dict.fromkeys(PARAGRAPHS, Box.PARAGRAPH),
    "br": Box.BREAK,
    "tr": Box.ROW,
}


@dataclass(frozen=True, slots=True)
class _Opened:
    """An element under way, and what its text inherits (CSS Display 3, 4; CSS Text 3, 3)."""

    box: Box
    is_visible: bool
    white_space: WhiteSpace


def visible_text(root: HtmlElement) -> str:
    """Give the text of a page in lines; cells of a table's row are separated by tabs.

    It goes through the tree without recursion: pages are as deep as their makers please.
    """
    lines = Lines()
    opened = [_Opened(Box.INLINE, is_visible=True, white_space=WhiteSpace.COLLAPSED)]
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if event == "start":
            inner = _open(element, opened[-1])
            opened.append(inner)
            if inner.box is Box.NONE:
                walk.skip_subtree()
                continue
            _bound(lines, inner.box, begins=True)
            text = element.text
            if text and element.tag in PRESERVING:
                text = text.removeprefix("\n")  # HTML standard, 13.2.6.4.7: a newline after the start tag is none
            _write(lines, text, inner)
        else:
            _bound(lines, opened.pop().box, begins=False)
            if element is not root:
                _write(lines, element.tail, opened[-1])
    return lines.finished()


def is_shown(element: HtmlElement) -> bool:
    """Tell whether an element is shown, its parents and children aside."""
    style = read_style(element.get("style"))
    return _box(element, style) is not Box.NONE and style.visibility not in INVISIBLE


def _open(element: HtmlElement, outer: _Opened) -> _Opened:
    style = read_style(element.get("style"))
    box = _box(element, style)
    is_visible = style.visibility not in INVISIBLE if style.visibility else outer.is_visible
    white_space = WHITE_SPACES.get(style.white_space, outer.white_space)
    if element.tag in PRESERVING and style.white_space not in WHITE_SPACES:
        white_space = WhiteSpace.KEPT
    return _Opened(box, is_visible, white_space)


def _box(element: HtmlElement, style: Style) -> Box:
    if style.display == "none" or _is_hidden(element):
        return Box.NONE
    tag = str(element.tag)
    if tag in CELLS:
        return _box_of_cell(element)
    if style.display in BLOCKS and tag not in PARAGRAPHS and tag != "tr":
        return Box.BLOCK
    if style.display.startswith("inline"):
        return Box.INLINE
    return BOXES.get(tag, Box.INLINE)


def _is_hidden(element: HtmlElement) -> bool:
    tag, attributes = element.tag, element.attrib
    if tag in NEVER_SHOWN:
        return not (tag == "template" and attributes.get("shadowrootmode") in ("open", "closed"))
    return "hidden" in attributes or "popover" in attributes or (tag == "dialog" and "open" not in attributes)


def _box_of_cell(cell: HtmlElement) -> Box:
    before, row = cell.getprevious(), cell.getparent()
    if before is not None and before.tag in CELLS:
        return Box.CELL
    return Box.INLINE if row is not None and row.tag == "tr" else Box.BLOCK


def _bound(lines: Lines, box: Box, *, begins: bool) -> None:
    if box is Box.BLOCK:
        lines.block()
    elif box is Box.PARAGRAPH:
        lines.paragraph()
    elif box is Box.ROW:
        (lines.row if begins else lines.row_end)()
    elif box is Box.CELL and begins:
        lines.cell()
    elif box is Box.BREAK and begins:
        lines.line_break()


def _write(lines: Lines, text: str | None, inside: _Opened) -> None:
    if not text or not inside.is_visible or inside.box is Box.NONE:
        return
    match inside.white_space:
        case WhiteSpace.COLLAPSED:
            lines.text(text)
        case WhiteSpace.LINES_KEPT:
            lines.text_with_its_lines(text)
        case WhiteSpace.KEPT:
            lines.text_as_it_is(text)
