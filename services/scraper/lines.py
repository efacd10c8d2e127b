"""Text in lines, as a browser's layout would break them, without a layout.

CSS Text 3, 4.1 (white space collapses to one space, none at the ends of a line) and the HTML standard's `innerText`
(3.2.7: a paragraph has an empty line before and after, a block its own lines, a cell a tab after it).
"""

import re

from services.scraper.characters import WHITE_SPACE

WORDS = re.compile(f"[^{WHITE_SPACE}]+")


class Lines:
    """Collects text; the line under way is `_pieces`."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._pieces: list[str] = []
        self._has_text = False
        self._space_is_due = False
        self._gap_is_due = False
        self._row_starts: list[int] = []

    def text(self, text: str) -> None:
        """Add text whose white space collapses."""
        words = WORDS.findall(text)
        if words and (self._space_is_due or text[0] in WHITE_SPACE) and self._has_text:
            self._pieces.append(" ")
        if words:
            self._add(" ".join(words))
            self._space_is_due = text[-1] in WHITE_SPACE
        elif text:
            self._space_is_due = True

    def text_with_its_lines(self, text: str) -> None:
        """Add text whose line breaks are kept, and whose other white space collapses."""
        first, *others = text.split("\n")
        self.text(first)
        for line in others:
            self.line_break()
            self.text(line)

    def text_as_it_is(self, text: str) -> None:
        """Add text whose white space is kept."""
        first, *others = text.split("\n")
        if first:
            self._add(first)
        for line in others:
            self.line_break()
            if line:
                self._add(line)

    def line_break(self) -> None:
        """End the line, also an empty one."""
        self._open_gap()
        self._finish()

    def block(self) -> None:
        """Begin or end a block: what follows is on a line of its own."""
        if self._has_text:
            self._finish()
        else:
            self._forget_line()

    def paragraph(self) -> None:
        """Begin or end a paragraph: what follows has an empty line before it."""
        self.block()
        self._gap_is_due = True

    def row(self) -> None:
        """Begin a table's row."""
        self.block()
        self._row_starts.append(len(self._done))

    def row_end(self) -> None:
        """End it."""
        self.block()
        if self._row_starts:
            self._row_starts.pop()

    def cell(self) -> None:
        """Begin a cell that is not the first: behind a tab, if all the row's cells so far are on this line."""
        if self._row_starts and self._row_starts[-1] == len(self._done):
            self._pieces.append("\t")
            self._space_is_due = False
        else:
            self.block()

    def finished(self) -> str:
        """Give all lines, without empty ones at the beginning and the end."""
        self.block()
        return "\n".join(self._done).strip("\n")

    def _add(self, text: str) -> None:
        self._open_gap()
        self._pieces.append(text)
        self._has_text = True
        self._space_is_due = False

    def _open_gap(self) -> None:
        if self._gap_is_due and not self._has_text and self._done and self._done[-1]:
            self._done.append("")
            self._row_starts = [start + (start == len(self._done) - 1) for start in self._row_starts]
        self._gap_is_due = False

    def _finish(self) -> None:
        self._done.append("".join(self._pieces))
        self._forget_line()

    def _forget_line(self) -> None:
        self._pieces.clear()
        self._has_text = self._space_is_due = False
