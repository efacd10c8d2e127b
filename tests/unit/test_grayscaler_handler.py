"""What the grayscaler publishes for what its decoder says."""

from collections.abc import Sequence

from common.errors import Permanent, Poison
from common.facts import ImageGrayscaled, ItemFailed
from common.handling import Stage
from common.message import Message
from common.reasons import Reason
from common.steps import now_ms
from common.topology import Topology
from services.grayscaler.exchange import Answer, Limits
from services.grayscaler.gray_version import gray_version
from services.grayscaler.handler import Grayscaler
from tests.some_facts import fetched, new_item
from tests.unit.gray_oracle import bmp

BODY = bmp([(9, 9, 12)] * 6, (3, 2))
REFUSED = Permanent(Reason.TRUNCATED, "it ends early")
POISON = Poison("the decoder died: Segmentation fault")


def decode(bodies: Sequence[bytes]) -> list[Answer]:
    answers: dict[bytes, Answer] = {b"refused": REFUSED, b"poison": POISON}
    return [answers.get(body) or gray_version(body, Limits(("BMP",), 100, 1_000)) for body in bodies]


GRAYSCALER = Grayscaler(Stage("grayscaler", Topology()), decode)


def test_it_tells_what_the_decoder_found() -> None:
    fact = fetched(new_item(), BODY)
    [[publication]] = GRAYSCALER.handle([fact.to_message()])
    told = ImageGrayscaled.from_message(publication.message)
    assert (told.item.item_id, told.message_id) == (fact.item.item_id, fact.message_id)
    assert (told.width, told.height, told.format, told.mode, told.orientation) == (3, 2, "BMP", "RGB", 1)
    assert told.histogram[10] == 6


def test_each_message_of_a_batch_has_its_own_end() -> None:
    bodies = [BODY, b"refused", b"poison", BODY]
    items = [new_item() for _ in bodies]
    unreadable = Message("image.fetched", "no uuid", "", {}, BODY)
    messages = [fetched(item, body).to_message() for item, body in zip(items, bodies, strict=True)]
    one, refused, buried, unread, other = GRAYSCALER.handle([*messages[:3], unreadable, messages[3]])
    assert [given[0].message.headers["item_id"] for given in (one, other)] == [
        str(items[0].item_id),
        str(items[3].item_id),
    ]
    assert ItemFailed.from_message(refused[0].message).reason is Reason.TRUNCATED
    assert [publication.exchange for publication in buried] == ["graymill.dead", "graymill"]
    assert buried[0].message.headers["x-dead-reason"] == "the decoder died: Segmentation fault"
    assert ItemFailed.from_message(buried[1].message).reason is Reason.POISON
    assert [publication.exchange for publication in unread] == ["graymill.dead"]


def test_an_item_counts_as_taken_up_before_it_is_decoded() -> None:
    began: list[int] = []

    def slow(bodies: Sequence[bytes]) -> list[Answer]:
        began.append(now_ms())
        while now_ms() < began[0] + 20:
            pass
        return decode(bodies)

    messages = [fetched(new_item(), body).to_message() for body in (BODY, b"refused")]
    [[gray], [failed]] = Grayscaler(Stage("grayscaler", Topology()), slow).handle(messages)
    for publication in (gray, failed):
        _told, taken_up_ms, told_ms = map(int, publication.message.headers["steps"].split(","))
        assert taken_up_ms <= began[0]
        assert told_ms >= began[0] + 20
