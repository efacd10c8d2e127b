"""The images that CSS names: in a `style` attribute or a `<style>` element.

CSS Syntax 3, 4.3 (tokens; `url(...)` bare or quoted, escapes, comments) and CSS Images 4 (`image-set`). All is
taken but what is no image by its place: `@import`, `@namespace`, `@font-face`.
"""

import re
from collections.abc import Iterator

ESCAPE = r"\\(?:[0-9a-fA-F]{1,6}(?:\r\n|[ \t\n\r\f])?|[^0-9a-fA-F])"
STRING = rf"""\"(?:[^"\\\n]|{ESCAPE})*+\"?|'(?:[^'\\\n]|{ESCAPE})*+'?"""
IDENTIFIER = rf"(?:[A-Za-z0-9_-]|[^\x00-\x7f]|{ESCAPE})++"
TOKEN = re.compile(
    rf"""/\*.*?(?:\*/|\Z)|(?P<string>{STRING})|(?P<at>@{IDENTIFIER})|(?P<function>{IDENTIFIER}\()|{IDENTIFIER}"""
    r"""|(?P<mark>[;{})])|.""",
    re.DOTALL,
)
BARE = re.compile(rf"[ \t\n\r\f]*(?P<bare>(?:[^\"'()\\ \t\n\r\f]++|{ESCAPE})*+)[ \t\n\r\f]*(?:\)|\Z)")
QUOTED = re.compile(rf"[ \t\n\r\f]*(?P<string>{STRING})[^)]*(?:\)|\Z)")
ESCAPED = re.compile(r"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[ \t\n\r\f])?|(\n|.))", re.DOTALL)
IMAGE_SETS = {"image-set", "-webkit-image-set"}
NO_IMAGES_AFTER = {"@import": ";", "@namespace": ";", "@charset": ";", "@font-face": "}"}
MAY_NAME_ONE = re.compile(r"url|image-set|\\", re.IGNORECASE)


def image_addresses(css: str) -> Iterator[str]:
    """Give what `url(...)` and the strings of `image-set(...)` name, in order. Linear in the text's length."""
    if not MAY_NAME_ONE.search(css):
        return
    position, until = 0, ""
    functions: list[str] = []
    while token := TOKEN.match(css, position):
        position = token.end()
        if token["at"]:
            until = NO_IMAGES_AFTER.get(_unescaped(token["at"]).lower(), "")
        elif token["mark"]:
            _close(functions, token["mark"])
            until = "" if token["mark"] == until else until
        elif token["function"]:
            functions.append(_unescaped(token["function"][:-1]).lower())
            address = _in_url(css, position) if functions[-1] == "url" else None
            if address:
                functions.pop()
                position = address.end()
                if not until:
                    yield _value(address)
        elif token["string"] and not until and functions and functions[-1] in IMAGE_SETS:
            yield _value(token)


def _in_url(css: str, position: int) -> re.Match[str] | None:
    return BARE.match(css, position) or QUOTED.match(css, position)


def _close(functions: list[str], mark: str) -> None:
    if mark == ")":
        del functions[-1:]
    else:
        functions.clear()


def _value(match: re.Match[str]) -> str:
    string = match["string"] if "string" in match.re.groupindex else None
    if string is None:
        return _unescaped(match["bare"])
    return _unescaped(string[1:].removesuffix(string[0]))


def _unescaped(text: str) -> str:
    return ESCAPED.sub(_character, text) if "\\" in text else text


def _character(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return "" if escape[2] == "\n" else escape[2]
    number = int(escape[1], 16)
    is_none = number == 0 or 0xD800 <= number < 0xE000 or number > 0x10FFFF
    return "\ufffd" if is_none else chr(number)
