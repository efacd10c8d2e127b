"""A page's bytes become its characters: by its BOM, its header, its own declaration, or by a guess.

The order is the HTML standard's (13.2.3.2, "determining the character encoding"). Labels are read and mapped to
encodings as the Encoding standard says (4.2: `latin1` is windows-1252, `gb2312` is GBK), by webencodings.
We leave the standard where a declaration cannot be true: browsers show rubbish then, a corpus should have the text.
"""

import re
from collections.abc import Iterator

import webencodings
from charset_normalizer import from_bytes

from services.scraper.characters import cleaned
from services.scraper.prescan import declared_label

BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xfe\xff": "utf-16-be", b"\xff\xfe": "utf-16-le"}
"""Encoding standard, 6 ("BOM sniff"): stronger than any declaration."""
UTF_16_WITHOUT_BOM = {b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}
HEADER_CHARSET = re.compile(r"""charset\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;,"']+))""", re.IGNORECASE)
WIDER = {"gbk": "gb18030", "gb2312": "gb18030"}
"""The Encoding standard decodes GBK as gb18030 (10.1.1); Python's own GBK has fewer characters."""
UNKNOWN = {"replacement", "x-user-defined"}
FALLBACK = "windows-1252"
MARKUP = re.compile(rb"<[^<>]*>|[\x00-\x7f]{200,}")
DETECTED = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "cp866"),
    *("koi8_r", "koi8_u", "iso8859_2", "iso8859_5", "mac_cyrillic"),
    *("cp932", "euc_jp", "iso2022_jp", "big5", "big5hkscs", "gb18030", "cp949"),
)
"""Encodings that the Encoding standard knows and that pages were written in. Left a choice of all that Python has, the
detector finds French in an encoding of Urdu."""
SAMPLE_BYTES = 16 * 1024
"""What the detector looks at: its time grows with it, its judgement hardly does."""
MOST_SEARCHED_BYTES = 1024 * 1024
NON_ASCII = re.compile(r"[^\x00-\x7f]")


def decode(body: bytes, content_type: str = "") -> str:
    """Give the characters of a page: valid UTF-8 when encoded, no control characters but newline and tab.

    Never raises; what does not decode becomes U+FFFD.
    """
    for bom, name in BOMS.items():
        if body.startswith(bom):
            return cleaned(body[len(bom) :].decode(name, "replace"))
    declared = list(dict.fromkeys(_declared(body, content_type)))
    for name in declared:
        text = _believed(body, name)
        if text is not None:
            return cleaned(text)
    name = UTF_16_WITHOUT_BOM.get(body[:2]) or _utf_8(body) or _detected(body) or (declared or [FALLBACK])[0]
    return cleaned(body.decode(name, "replace"))


def _declared(body: bytes, content_type: str) -> Iterator[str]:
    match = HEADER_CHARSET.search(content_type)
    if match and (name := _codec(match[1] or match[2] or match[3] or "")):
        yield name
    label = declared_label(body)
    if label and (name := _codec(label)):
        # HTML standard, 13.2.3.2: what could be read as ASCII so far is not UTF-16.
        yield "utf-8" if name.startswith("utf-16") else name


def _codec(label: str) -> str | None:
    """Give Python's name of the encoding with this label; None when browsers do not know it either."""
    if not label.isascii():
        return None
    encoding = webencodings.lookup(label)
    if encoding is None or encoding.name in UNKNOWN:
        return None
    return WIDER.get(encoding.name, encoding.codec_info.name)


def _is_one_byte(name: str) -> bool:
    return len(b"\xe4\xe4".decode(name, "ignore")) == 2


def _believed(body: bytes, name: str) -> str | None:
    """Give the text in the declared encoding, or None when the bytes speak against it.

    One-byte encodings decode anything; when the bytes are UTF-8 they are that, as no such text is by chance. Of the
    others more must decode than not: a page in another encoding hardly does, a few broken characters are common.
    """
    if _is_one_byte(name):
        return None if _utf_8(body) and not body.isascii() else body.decode(name, "replace")
    text = body.decode(name, "replace")
    broken = text.count("\ufffd")
    return text if broken == 0 or broken * 4 <= len(NON_ASCII.findall(text)) else None


def _utf_8(body: bytes) -> str | None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        # The last character may have been cut in two by the limit on a page's size.
        return (
            "utf-8" if error.start > 0 and error.start >= len(body) - 3 and not body[: error.start].isascii() else None
        )
    return "utf-8"


def _detected(body: bytes) -> str | None:
    """Guess by the text between the tags, which is where the characters are that tell."""
    sample = MARKUP.sub(b" ", body[:MOST_SEARCHED_BYTES])[:SAMPLE_BYTES]
    if sample.isascii():
        return None
    match = from_bytes(sample, cp_isolation=[*DETECTED]).best()
    return None if match is None else WIDER.get(match.encoding, match.encoding)
