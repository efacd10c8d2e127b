"""Members that many answers have, each described once."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, PlainSerializer, WithJsonSchema

from common.instants import write_instant
from services.api.values import EXAMPLE_MD5, EXAMPLE_TASK, MD5_CHARACTERS

Moment = Annotated[
    datetime,
    PlainSerializer(write_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-05-31T12:00:00Z"]}),
]
Count = Annotated[int, Field(ge=0, examples=[0])]
Address = Annotated[str, WithJsonSchema({"type": "string", "format": "uri-reference"})]
"""Of this API, from the host's root on."""
ImageMd5 = Annotated[str, Field(pattern=f"^{MD5_CHARACTERS}$", examples=[EXAMPLE_MD5])]
NextPage = Annotated[
    Address | None,
    Field(description="Where the next page is; null on the last one.", examples=["/url_tasks?cursor=…"]),
]
WHERE_THERE_IS_ONE = Field(exclude_if=lambda value: value is None)
"""Of a member that is left out, rather than null."""
TASK_ADDRESS = f"/url_tasks/{EXAMPLE_TASK}"
