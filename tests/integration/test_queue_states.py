"""How full the queues are, asked of a real broker, and noted over time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pika
import pytest

from common.broker import parameters
from common.errors import Unavailable
from common.facts import UrlSubmitted
from common.publisher import Publisher
from common.queue_states import QueueState
from services.api.queries.depths import depths, note_depths
from services.api.queries.span import Span
from tests.fleet import eventually
from tests.some_facts import new_item

NOON = datetime(2024, 5, 31, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def publisher(settings, topology) -> Iterator[Publisher]:
    publisher = Publisher("tests", parameters(settings, "tests"), topology)
    eventually(lambda: publisher.ready)
    yield publisher
    publisher.close()


def test_the_broker_says_how_many_messages_wait_in_each_queue(publisher, topology):
    publisher.publish(topology.fact(UrlSubmitted(new_item()).to_message()) for _ in range(3))
    publisher.flush()
    eventually(lambda: publisher.queue_states()["fetcher"].messages == 3)
    states = publisher.queue_states()
    assert set(states) == set(topology.queues)
    assert states["hasher"] == QueueState(messages=0, consumers=0)


def test_a_queue_that_is_missing_ends_neither_the_answer_nor_the_session(publisher, topology, settings):
    connection = pika.BlockingConnection(parameters(settings, "tests"))
    connection.channel().queue_delete(topology.queue("hasher"))
    connection.close()
    assert "hasher" not in publisher.queue_states()
    publisher.publish([topology.fact(UrlSubmitted(new_item()).to_message())])
    publisher.flush()
    assert publisher.ready


def test_without_a_broker_it_is_unavailable(settings, topology):
    nowhere = pika.URLParameters("amqp://127.0.0.1:1")
    publisher = Publisher("tests", nowhere, topology, patience_seconds=0.2)
    with pytest.raises(Unavailable):
        publisher.queue_states()
    publisher.close()


def note(database, at, messages, consumers=1):
    note_depths(database, {"fetcher": QueueState(messages, consumers), "aggregator.gray": QueueState(0, 2)}, at)


def test_the_most_of_each_minute_is_kept_whoever_notes_it(database):
    for seconds, messages in ((0, 5), (10, 9), (20, 7)):
        note(database, NOON + timedelta(seconds=seconds), messages)
    note(database, NOON + timedelta(minutes=3, seconds=59), 4, consumers=3)
    found = {queue.queue: queue for queue in depths(database, Span(NOON - MINUTE, NOON + 5 * MINUTE)).queues}
    assert found["fetcher"].most == (None, 9, None, None, 4, None)
    assert (found["fetcher"].now, found["fetcher"].consumers) == (4, 3)
    assert found["aggregator.gray"].most == (None, 0, None, None, 0, None)


def test_a_longer_span_has_longer_steps_and_the_same_peaks(database):
    for minutes in range(0, 48 * 60, 7):
        note(database, NOON + minutes * MINUTE, minutes % 100)
    for hours, step_seconds in ((3, 60), (12, 60), (24, 600), (48, 600), (720, 3_600)):
        found = depths(database, Span(NOON, NOON + timedelta(hours=hours)))
        fetcher = next(queue for queue in found.queues if queue.queue == "fetcher")
        assert (found.step_seconds, len(fetcher.most)) == (step_seconds, hours * 3_600 // step_seconds)
        noted = [minutes % 100 for minutes in range(0, min(hours, 48) * 60, 7)]
        assert max(depth for depth in fetcher.most if depth is not None) == max(noted)
        assert fetcher.most[0] == max(minutes % 100 for minutes in range(0, max(step_seconds // 60, 1), 7))


def test_a_span_that_nobody_looked_at_has_no_queues(database):
    note(database, NOON, 5)
    assert depths(database, Span(NOON + 5 * MINUTE, NOON + 20 * MINUTE)).queues == ()
