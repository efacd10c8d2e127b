"""Statistics of an image as JSON."""

from typing import Annotated, Any, Self

from flask import url_for
from pydantic import Field, WithJsonSchema

from services.api.describing import Answer
from services.api.queries.statistics import Found, Others
from services.api.schemas.members import Address, ImageMd5
from services.api.statistics import MEANINGS, pixels, summary
from services.api.values import EXAMPLE_MD5

Level = Annotated[int | float, WithJsonSchema({"type": "number"})]
EXAMPLES = {"min": 0, "max": 255, "mean": 117.5, "median": 118.0, "p99": 250.0}


class FunctionsAnswer(Answer):
    """What can be asked for."""

    functions: Annotated[dict[str, str], Field(description="Each by its name, in words.", examples=[dict(MEANINGS)])]
    percentiles: Annotated[str, Field(description="Which others there are.")] = (
        "p0 to p100, with or without decimals, such as p99.9"
    )


class StatisticsLinks(Answer):
    """Where there is more about the image. `self` is by its MD5, and what it gives never changes."""

    self: Annotated[Address, Field(examples=[f"/stats/{EXAMPLE_MD5}/p99.9"])]
    gray: Annotated[Address, Field(examples=[f"/image/{EXAMPLE_MD5}"])]
    metadata: Annotated[Address, Field(examples=[f"/images/{EXAMPLE_MD5}"])]


class MeasuredImage(Answer):
    """Which image it is, and which others have its name."""

    md5: ImageMd5
    pixels: Annotated[int, Field(ge=1, description="How many there are.", examples=[786_432])]
    others: Annotated[
        list[ImageMd5],
        Field(description="Further images of the file name that was asked for, the latest first; this is the latest."),
    ]
    others_more: Annotated[bool, Field(description="Whether there may be more of that name.", examples=[False])]
    links: StatisticsLinks


class StatisticAnswer(MeasuredImage):
    """One statistic of an image's gray version."""

    function: Annotated[str, Field(examples=["p99.9"])]
    value: Annotated[Level, Field(description="A level of gray, or a fraction of one.", examples=[250.5])]

    @classmethod
    def of(cls, found: Found, function: str, value: Level) -> Self:
        """Write one value."""
        address = url_for("statistics.one", image=found.md5, function=function)
        return cls(function=function, value=value, **_about(found, address))


class StatisticsAnswer(MeasuredImage):
    """All the usual statistics of an image's gray version."""

    statistics: Annotated[dict[str, Level], Field(description="Each by its name.", examples=[EXAMPLES])]

    @classmethod
    def of(cls, found: Found) -> Self:
        """Write all values."""
        address = url_for("statistics.every", image=found.md5)
        return cls(statistics=summary(found.counts), **_about(found, address))


def _about(found: Found, address: str) -> dict[str, Any]:
    others = found.others or Others()
    links = StatisticsLinks(
        self=address,
        gray=url_for("image_bytes.gray", md5=found.md5),
        metadata=url_for("images.metadata", md5=found.md5),
    )
    return {
        "md5": found.md5,
        "pixels": pixels(found.counts),
        "others": list(others.md5s),
        "others_more": others.more,
        "links": links,
    }
