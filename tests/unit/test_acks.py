"""Which deliveries are acked together."""

import random

from common.acks import Acks


def done(acks: Acks, *tags: int) -> list[bool]:
    return [acks.add(tag) for tag in tags]


def test_an_unbroken_row_is_acked_at_once() -> None:
    acks = Acks()
    assert done(acks, 1, 3, 2) == [True, False, False]
    assert acks.take() == (3, [])
    assert acks.take() == (None, [])


def test_what_lies_behind_a_slow_delivery_does_not_wait_for_it() -> None:
    acks = Acks()
    done(acks, 1, 3, 4)
    assert acks.take() == (1, [3, 4])
    done(acks, 2)
    assert acks.take() == (2, []), "3 and 4 were acked before, and the broker does not know them any more"
    done(acks, 5)
    assert acks.take() == (5, [])


def test_every_delivery_is_acked_exactly_once_in_any_order() -> None:
    chance = random.Random(5)
    for _ in range(200):
        tags = list(range(1, 41))
        chance.shuffle(tags)
        acks, outstanding = Acks(), set(tags)
        for tag in tags:
            acks.add(tag)
            if chance.random() < 0.3 or tag == tags[-1]:
                up_to, singly = acks.take()
                if up_to is not None:
                    assert up_to in outstanding
                    outstanding = {other for other in outstanding if other > up_to}
                assert set(singly) <= outstanding
                outstanding -= set(singly)
        assert not outstanding
