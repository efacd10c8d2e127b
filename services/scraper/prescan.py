"""What a page's first bytes declare as its encoding.

HTML standard, 13.2.3.2, "prescan a byte stream to determine its encoding", with its steps for an attribute and
for an XML declaration, and "extracting a character encoding from a meta element".
"""

import re

PRESCANNED_BYTES = 64 * 1024
"""The standard looks at 1,024 bytes and then changes the encoding at a `<meta>` that comes later (13.2.3.4). We
have the whole page before we begin, so that one look is enough; within 1,024 bytes the answers are the same."""
XML_ENCODING = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*(?:"([^"]*)"|'([^']*)')""")
SHORT_BYTES = 1024
META = re.compile(rb"<meta(?=[\s/])", re.IGNORECASE)
TAG = re.compile(rb"</?[a-z][^\s>]*", re.IGNORECASE)
BOGUS = re.compile(rb"<[!/?][^>]*>?")
ATTRIBUTE = re.compile(rb"""[\s/]*([^\s/>=]?[^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*)|))?""")
CONTENT_CHARSET = re.compile(rb"""charset\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;"']+))""", re.IGNORECASE)


def declared_label(body: bytes) -> str | None:
    """Give the label a `<meta>` or an XML declaration names, as it is written there; None when there is none."""
    start = body[:PRESCANNED_BYTES]
    xml = XML_ENCODING.match(start[:SHORT_BYTES])
    if xml:
        return _text(xml[1] if xml[1] is not None else xml[2])
    position = 0
    while (position := start.find(b"<", position)) >= 0:
        if start.startswith(b"<!--", position):
            # The dashes that open a comment may close it as well: `<!-->`.
            position = start.find(b"-->", position + 2)
            if position < 0:
                return None
        elif META.match(start, position):
            position, attributes = _attributes(start, position + len(b"<meta"))
            label = _of_meta(attributes)
            if label:
                return _text(label)
        elif tag := TAG.match(start, position):
            position, _unused = _attributes(start, tag.end())
        else:
            bogus = BOGUS.match(start, position)
            position = bogus.end() if bogus else position + 1
    return None


def _of_meta(attributes: dict[bytes, bytes]) -> bytes | None:
    if b"charset" in attributes:
        return attributes[b"charset"]
    if b"content" in attributes and attributes.get(b"http-equiv", b"").lower() == b"content-type":
        match = CONTENT_CHARSET.search(attributes[b"content"])
        return next((group for group in match.groups() if group is not None), None) if match else None
    return None


def _attributes(start: bytes, position: int) -> tuple[int, dict[bytes, bytes]]:
    """Read a tag's attributes, the first of each name, and give where the tag ends."""
    found: dict[bytes, bytes] = {}
    while position < len(start) and start[position : position + 1] != b">":
        match = ATTRIBUTE.match(start, position)
        if match is None or match.end() == position:
            position += 1
            continue
        position = match.end()
        found.setdefault(match[1].lower(), next((value for value in match.groups()[1:] if value is not None), b""))
    return position, found


def _text(label: bytes) -> str:
    return label.decode("latin-1").strip()
