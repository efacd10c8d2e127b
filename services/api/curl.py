"""The command that asks for a route of the document, with its examples."""

import json
import shlex
from typing import Any
from urllib.parse import quote, urlencode, urljoin

from services.api.describing import FORM, SHORT_FORM
from services.api.tags import IMAGES

Json = dict[str, Any]
FILES = ("image/", "application/octet-stream", "application/zip")
KEY = "$GRAYMILL_KEY"
"""Stands for a key, and is read by the shell."""
FORM_OPTIONS = {FORM: "--form", SHORT_FORM: "--data-urlencode"}


def curl(method: str, path: str, operation: Json, host_url: str) -> str:
    """Write it. Optional arguments are in it where the document has an example of them; ids of tasks are not."""
    words = ["curl"]
    leads_on = "302" in operation["responses"] and "200" not in operation["responses"]
    if leads_on:
        words.append("--location")
    if (leads_on and IMAGES.name in operation["tags"]) or _is_a_file(operation["responses"].get("200", {})):
        words += ["--remote-name", "--remote-header-name"]
    if {"key": []} in operation.get("security", []):
        words += ["--header", f"Authorization: Bearer {KEY}"]
    if "requestBody" in operation:
        words += _body(*next(iter(operation["requestBody"]["content"].items())))
        query = ""
    else:
        query = urlencode(_examples(operation, "query"))
    for name, example in _examples(operation, "path").items():
        path = path.replace(f"{{{name}}}", quote(str(example), safe=""))
    if method != ("post" if "requestBody" in operation else "get"):
        words += ["--request", method.upper()]
    words.append(urljoin(host_url, path) + (f"?{query}" if query else ""))
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """Write it for a shell, which is to read our variable in it."""
    return f'"{word}"' if KEY in word else shlex.quote(word)


def _body(media_type: str, content: Json) -> list[str]:
    """Give the options that send a body's example; a form's is made of those of its fields."""
    if media_type not in FORM_OPTIONS:
        example = content["example"]
        text = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
        return ["--header", f"Content-Type: {media_type}", "--data-binary", text]
    fields = content["schema"]["properties"]
    given = [f"{name}={field['examples'][0]}" for name, field in fields.items() if "examples" in field]
    return [word for field in given for word in (FORM_OPTIONS[media_type], field)]


def _is_a_file(answer: Json) -> bool:
    """Tell whether what comes is nothing to print."""
    contents = answer.get("content", {})
    return bool(contents) and all(name.startswith(FILES) for name in contents)


def _examples(operation: Json, place: str) -> Json:
    return {
        parameter["name"]: parameter["schema"]["examples"][0]
        for parameter in operation.get("parameters", [])
        if parameter["in"] == place
        and "examples" in parameter["schema"]
        and (place == "path" or parameter["schema"].get("format") != "uuid")
    }
