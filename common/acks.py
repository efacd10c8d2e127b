"""Which deliveries of a channel are done with and not acked yet, and the fewest frames that tell the broker."""


class Acks:
    """Delivery tags count up from 1 over a channel; its deliveries end in any order."""

    def __init__(self) -> None:
        self._all_acked_to = 0
        self._acked_beyond: set[int] = set()
        self._done: set[int] = set()

    def add(self, tag: int) -> bool:
        """Note a delivery that is done with; tells whether it is the only one since the last `take`."""
        self._done.add(tag)
        return len(self._done) == 1

    def take(self) -> tuple[int | None, list[int]]:
        """Give the tag to which all are to be acked at once, if there is one, and those that are acked by themselves.

        Nothing is held back: a delivery behind one that takes long is acked as soon as it is done with.
        """
        up_to = None
        while (following := self._all_acked_to + 1) in self._done or following in self._acked_beyond:
            if following in self._done:
                up_to = following  # the broker refuses a tag that it has no delivery for any more
                self._done.remove(following)
            self._acked_beyond.discard(following)
            self._all_acked_to = following
        singly = sorted(self._done)
        self._acked_beyond |= self._done
        self._done.clear()
        return up_to, singly
