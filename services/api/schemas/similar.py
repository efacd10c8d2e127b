"""The images that look like one, as JSON."""

from typing import Annotated

from flask import url_for
from pydantic import Field

from common.multi_index import DEFAULT_DISTANCE
from services.api.describing import Answer
from services.api.queries.similar import Near, Similar
from services.api.schemas.images import ImageLinks
from services.api.schemas.members import ImageMd5

Distance = Annotated[int, Field(ge=0, description="In bits of 63.", examples=[DEFAULT_DISTANCE])]


class NearAnswer(Answer):
    """An image that looks like the one asked about."""

    md5: ImageMd5
    distance: Distance
    links: ImageLinks

    @classmethod
    def of(cls, near: Near) -> "NearAnswer":
        """Write an image."""
        links = ImageLinks(
            self=url_for("images.metadata", md5=near.md5),
            gray=url_for("image_bytes.gray", md5=near.md5),
        )
        return cls(md5=near.md5, distance=near.distance, links=links)


class SimilarAnswer(Answer):
    """What looks like an image."""

    md5: ImageMd5
    perceptual_hash: Annotated[str, Field(description="63 bits in hexadecimal digits.", examples=["3f70c8d1e2a54b96"])]
    distance: Distance
    images: Annotated[list[NearAnswer], Field(description="Nearest first, without the image itself.")]
    complete: Annotated[
        bool,
        Field(description="Whether these are all within the distance; if not, ask for a smaller one.", examples=[True]),
    ]

    @classmethod
    def of(cls, md5: str, distance: int, similar: Similar) -> "SimilarAnswer":
        """Write what was found."""
        return cls(
            md5=md5,
            perceptual_hash=f"{similar.perceptual_hash:016x}",
            distance=distance,
            images=[NearAnswer.of(near) for near in similar.images],
            complete=similar.complete,
        )
