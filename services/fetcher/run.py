"""One run of the command line, as its report tells it."""

import time
from dataclasses import dataclass, field
from uuid import UUID


@dataclass
class Run:
    """One run of the command: when it began, what of the list it left out, and how much it has published.

    `there_already` are the tasks of pages that were handed over before.
    """

    started: float = field(default_factory=time.monotonic)
    skipped: int = 0
    published: int = 0
    task_id: UUID | None = None
    there_already: set[UUID] = field(default_factory=set)
    seconds: float | None = None

    def has_published(self, count: int) -> None:
        """Remember how much is on its way."""
        self.published = count

    def begin(self, task_id: UUID) -> None:
        """Remember the task that the run is about."""
        self.task_id = task_id

    def end(self) -> None:
        """Stop the clock."""
        self.seconds = time.monotonic() - self.started
