"""Hosts that are left alone, as JSON."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from common.fetching.paused_hosts import PausedHost, State
from common.reasons import Reason
from services.api.describing import Answer
from services.api.schemas.members import Count, Moment, NextPage
from services.api.values import EXAMPLE_HOST

Host = Annotated[str, Field(examples=[EXAMPLE_HOST])]


class PausedHostAnswer(Answer):
    """A host that is left alone, or was and has not answered since."""

    host: Host
    state: Annotated[
        State, Field(description="`paused`: left alone now. `failing`: asked again; its next failure makes a pause.")
    ]
    until: Annotated[Moment, Field(description="When the pause ends, or ended.")]
    asked: Annotated[
        bool, Field(description="The host asked for the pause; otherwise it kept failing.", examples=[True])
    ]
    reason: Annotated[
        Reason, Field(description="How it answered last before the pause.", examples=[Reason.RATE_LIMITED])
    ]
    status: Annotated[
        int | None, Field(description="The HTTP status of that answer, if there was one.", examples=[429])
    ]
    pauses: Annotated[Count, Field(description="So many pauses for its failures in a row, each longer.")]
    why: Annotated[str, Field(description="All that in a few words.", examples=["it asked for it (HTTP 429)"])]

    @classmethod
    def of(cls, host: PausedHost, now: datetime) -> "PausedHostAnswer":
        """Write a host."""
        return cls(
            host=host.host,
            state=host.state(now),
            until=host.until,
            asked=host.asked,
            reason=host.reason,
            status=host.status,
            pauses=host.times,
            why=host.why,
        )


class HostsAnswer(Answer):
    """Some of the hosts, those whose pause ends, or ended, last first."""

    paused: Annotated[Count, Field(description="So many are left alone now.", examples=[1])]
    hosts: list[PausedHostAnswer]
    next: Annotated[NextPage, Field(examples=["/hosts?cursor=…"])]


class ResumedAnswer(Answer):
    """Which host is asked again."""

    host: Host
