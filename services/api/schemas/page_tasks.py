"""Tasks of web pages as JSON."""

from typing import Annotated, Any
from uuid import UUID

from flask import url_for
from pydantic import Field

from common.items import Outcome
from common.page_state import Status
from common.reasons import MEANINGS, Reason
from services.api.describing import Answer
from services.api.queries.images import StoredImage
from services.api.queries.items import LedgerItem
from services.api.queries.page_tasks import PageTask, ReadPage, Webhook
from services.api.schemas.items import EndAnswer, end_members
from services.api.schemas.members import WHERE_THERE_IS_ONE, Address, Count, Moment, NextPage
from services.api.schemas.tasks import FailuresAnswer
from services.api.values import EXAMPLE_IMAGES_TASK, EXAMPLE_MD5, EXAMPLE_TASK, EXAMPLE_TEXT_TASK, Absent

IMAGES_TASK_ADDRESS = f"/images_tasks/{EXAMPLE_IMAGES_TASK}"
TEXT_TASK_ADDRESS = f"/text_tasks/{EXAMPLE_TEXT_TASK}"


class PageAnswer(Answer):
    """A page: how it ended and, once it is read, what it says of itself."""

    outcome: Annotated[Outcome, Field(examples=[Outcome.SUCCESS])]
    reason: Annotated[Reason | None, Field(description="Of an error.", examples=[None])]
    meaning: Annotated[str | None, Field(description="The reason in words.", examples=[None])]
    status: Annotated[int | None, Field(description="The HTTP status, where there was one.", examples=[None])]
    detail: Annotated[str | None, Field(description="What exactly went wrong.", examples=[None])]
    attempts: Annotated[int | None, Field(description="How often it was asked for, of an error.", examples=[None])]
    finished_at: Annotated[Moment | None, Field(description="When it ended; null while it is pending.")]
    final_url: Annotated[
        str | None,
        Field(description="Where it was in the end, after redirects.", examples=["https://example.com/cats/"]),
    ]
    title: Annotated[str | None, Field(examples=["Cats"])]
    language: Annotated[str | None, Field(description="As the page says.", examples=["en"])]
    description: Annotated[str | None, Field(examples=["All about cats."])]
    canonical_url: Annotated[str | None, Field(description="As the page says.", examples=["https://example.com/cats/"])]
    is_cut: Annotated[
        bool | None, Field(description="Whether it is so large that only its beginning was read.", examples=[False])
    ]


class PageOfImagesAnswer(PageAnswer):
    """A page, and how many images it has beyond those that are taken."""

    images_left_out: Annotated[Count | None, Field(description="More images than PAGE_MAX_IMAGES.", examples=[0])]


class WebhookAnswer(Answer):
    """Who is told when the task is done, and what became of it."""

    url: Annotated[str, Field(examples=["https://example.com/hooks/graymill"])]
    told_at: Annotated[Moment | None, Field(description="When it was taken; null before that.")]
    attempts: Annotated[Count, Field(description="How often it was tried.", examples=[1])]
    error: Annotated[str | None, Field(description="Why the last try failed, if it did.", examples=[None])]

    @classmethod
    def of(cls, webhook: Webhook) -> "WebhookAnswer":
        """Write a webhook."""
        return cls(url=webhook.url, told_at=webhook.told_at, attempts=webhook.attempts, error=webhook.error)


class PageTaskAnswer(Answer):
    """A task of a page."""

    id: UUID
    url: Annotated[str, Field(description="The page, as it is asked for.", examples=["https://example.com/cats/"])]
    name: Annotated[str | None, Field(examples=["cats"])]
    refresh: Annotated[bool, Field(description="Whether known URLs are downloaded again.", examples=[False])]
    status: Annotated[
        Status,
        Field(
            description="`waiting` for the page, `in progress` with its images; then `success`, `partial` when an "
            "image failed, or `error` when the page did.",
            examples=[Status.SUCCESS],
        ),
    ]
    created_at: Moment
    finished_at: Annotated[Moment | None, Field(description="When the last of it ended; null before that.")]
    webhook: Annotated[WebhookAnswer | None, Field(description="Null where none was given.", examples=[None])]


class ImagesTaskLinks(Answer):
    """Where there is more about a task of a page's images."""

    self: Annotated[Address, Field(examples=[IMAGES_TASK_ADDRESS])]
    images: Annotated[Address, Field(examples=[f"{IMAGES_TASK_ADDRESS}/images"])]
    archive: Annotated[Address, Field(examples=[f"{IMAGES_TASK_ADDRESS}/archive"])]
    ledger: Annotated[Address, Field(examples=[f"/url_tasks/{EXAMPLE_IMAGES_TASK}"])]


class ImagesTaskAnswer(PageTaskAnswer):
    """A task of a page's images. The counts are of the images alone; `total` is the sum of the four outcomes."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_IMAGES_TASK])]
    page: PageOfImagesAnswer
    total: Annotated[Count, Field(description="Images found; 0 until the page is read.", examples=[4])]
    success: Annotated[Count, Field(description="Stored now.", examples=[2])]
    duplicate: Annotated[Count, Field(description="Stored already.", examples=[1])]
    error: Annotated[Count, Field(description="Failed, for a reason.", examples=[1])]
    pending: Annotated[Count, Field(description="No outcome yet.", examples=[0])]
    errors: Annotated[list[FailuresAnswer], Field(description="The images that failed, by reason and HTTP status.")]
    links: ImagesTaskLinks

    @classmethod
    def of(cls, task: PageTask) -> "ImagesTaskAnswer":
        """Write a task."""
        images = task.state.images
        left_out = task.read.images_left_out if task.read else None
        return cls(
            **_members(task),
            page=PageOfImagesAnswer(**_page_members(task), images_left_out=left_out),
            total=images.total,
            success=images.success,
            duplicate=images.duplicate,
            error=images.error,
            pending=images.pending,
            errors=[FailuresAnswer.of(task.task_id, failures) for failures in images.failures],
            links=ImagesTaskLinks(
                self=url_for("images_tasks.task", task_id=task.task_id),
                images=url_for("page_images.images", task_id=task.task_id),
                archive=url_for("page_images.archive", task_id=task.task_id),
                ledger=url_for("url_tasks.task", task_id=task.task_id),
            ),
        )


class ImagesTasksAnswer(Answer):
    """Some of the tasks, newest first."""

    tasks: list[ImagesTaskAnswer]
    next: Annotated[NextPage, Field(examples=["/images_tasks?cursor=…"])]


class TextTaskLinks(Answer):
    """Where there is more about a task of a page's text; `text` and `main_text` are there once the page is read."""

    self: Annotated[Address, Field(examples=[TEXT_TASK_ADDRESS])]
    text: Annotated[Address | Absent, WHERE_THERE_IS_ONE, Field(examples=[f"{TEXT_TASK_ADDRESS}/text"])] = None
    main_text: Annotated[
        Address | Absent, WHERE_THERE_IS_ONE, Field(examples=[f"{TEXT_TASK_ADDRESS}/text?form=main"])
    ] = None
    ledger: Annotated[Address, Field(examples=[f"/url_tasks/{EXAMPLE_TEXT_TASK}"])]


class TextTaskAnswer(PageTaskAnswer):
    """A task of a page's text."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_TEXT_TASK])]
    page: PageAnswer
    links: TextTaskLinks

    @classmethod
    def of(cls, task: PageTask) -> "TextTaskAnswer":
        """Write a task."""
        of_text = {
            "text": url_for("text_tasks.text", task_id=task.task_id),
            "main_text": url_for("text_tasks.text", task_id=task.task_id, form="main"),
        }
        links = TextTaskLinks(
            self=url_for("text_tasks.task", task_id=task.task_id),
            ledger=url_for("url_tasks.task", task_id=task.task_id),
            **(of_text if task.read else {}),
        )
        return cls(**_members(task), page=PageAnswer(**_page_members(task)), links=links)


class TextTasksAnswer(Answer):
    """Some of the tasks, newest first."""

    tasks: list[TextTaskAnswer]
    next: Annotated[NextPage, Field(examples=["/text_tasks?cursor=…"])]


class PageImageLinks(Answer):
    """Where the image is; of an item without one, there are none."""

    original: Annotated[
        Address | Absent, WHERE_THERE_IS_ONE, Field(examples=[f"{IMAGES_TASK_ADDRESS}/images/{EXAMPLE_MD5}"])
    ] = None
    gray: Annotated[
        Address | Absent,
        WHERE_THERE_IS_ONE,
        Field(examples=[f"{IMAGES_TASK_ADDRESS}/images/{EXAMPLE_MD5}?variant=gray"]),
    ] = None
    metadata: Annotated[Address | Absent, WHERE_THERE_IS_ONE, Field(examples=[f"/images/{EXAMPLE_MD5}"])] = None


class PageImageAnswer(EndAnswer):
    """An image that the page names, and how it stands."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_TASK])]
    line: Annotated[int, Field(ge=1, description="In the order of the page.", examples=[1])]
    url: Annotated[
        str,
        Field(description="Of a `data:` URL, its beginning.", examples=["https://example.com/cats/tom.png"]),
    ]
    width: Annotated[int | None, Field(ge=1, description="In pixels.", examples=[640])]
    height: Annotated[int | None, Field(ge=1, description="In pixels.", examples=[480])]
    length_bytes: Annotated[int | None, Field(ge=0, description="As received.", examples=[48_213])]
    format: Annotated[str | None, Field(description="As decoded.", examples=["JPEG"])]
    links: PageImageLinks

    @classmethod
    def of_image(cls, task_id: UUID, item: LedgerItem, image: StoredImage | None) -> "PageImageAnswer":
        """Write an item, and the image that it gave."""
        md5 = item.end.md5
        return cls(
            **end_members(item.end),
            id=item.item_id,
            line=item.line,
            url=item.url,
            width=image.width if image else None,
            height=image.height if image else None,
            length_bytes=image.length_bytes if image else None,
            format=image.format if image else None,
            links=PageImageLinks() if md5 is None else _image_links(task_id, md5),
        )


class PageImagesAnswer(Answer):
    """Some of the page's images, in its order."""

    images: list[PageImageAnswer]
    next: Annotated[NextPage, Field(examples=[f"{IMAGES_TASK_ADDRESS}/images?cursor=50"])]


def _members(task: PageTask) -> dict[str, Any]:
    return {
        "id": task.task_id,
        "url": task.url,
        "name": task.name,
        "refresh": task.refresh,
        "status": task.state.status,
        "created_at": task.created_at,
        "finished_at": task.finished_at,
        "webhook": task.webhook and WebhookAnswer.of(task.webhook),
    }


def _page_members(task: PageTask) -> dict[str, Any]:
    end, read = task.page_end, task.read
    return {
        "outcome": end.outcome,
        "reason": end.reason,
        "meaning": MEANINGS[end.reason] if end.reason else None,
        "status": end.status,
        "detail": end.detail,
        "attempts": end.attempts,
        "finished_at": end.finished_at,
        **(_read_members(read) if read else dict.fromkeys(READ)),
    }


READ = ("final_url", "title", "language", "description", "canonical_url", "is_cut")


def _read_members(read: ReadPage) -> dict[str, Any]:
    return {"final_url": read.url, **{name: getattr(read, name) for name in READ[1:]}}


def _image_links(task_id: UUID, md5: str) -> PageImageLinks:
    return PageImageLinks(
        original=url_for("page_images.image", task_id=task_id, md5=md5),
        gray=url_for("page_images.image", task_id=task_id, md5=md5, variant="gray"),
        metadata=url_for("images.metadata", md5=md5),
    )
