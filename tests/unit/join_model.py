"""The rules of `services.aggregator.join` as a machine small enough to try every way it can go.

Every operation on the database is one step. Between any two steps another aggregator may work, or this one may
crash: then it forgets what it held and its message is delivered again. `explore` visits every reachable state.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple


class Rule(StrEnum):
    """What the join would be wrong without; a model that does not notice proves nothing."""

    OWNER = "an image that is there already is ours if its message id is"
    CLAIM = "the item is claimed before its image is inserted"
    LOOK_AGAIN = "who puts a gray version aside looks for its hash once more"


class Message(NamedTuple):
    kind: str
    item: int
    round: int = 0
    download: str = ""
    md5: str = ""


class Item(NamedTuple):
    round: int = 0
    hashes: tuple[str, ...] = ()
    claim: str | None = None
    outcome: tuple[str, str] | None = None


class Worker(NamedTuple):
    """An aggregator at work: its message, its next step, the gray version in hand, and what it has read."""

    message: Message
    step: str
    gray: Message
    again: bool = False
    owner: str = ""


class State(NamedTuple):
    items: tuple[Item, ...]
    images: tuple[tuple[str, str], ...]
    grays: tuple[str, ...]
    halves: tuple[Message, ...]
    queue: tuple[Message, ...]
    workers: tuple[Worker, ...]
    crashes: int
    retries: int


@dataclass(frozen=True)
class Scenario:
    """What is delivered, in any order; `retried` comes once a person has had an item that failed tried again."""

    messages: tuple[Message, ...]
    retried: tuple[Message, ...] = ()
    stored: tuple[tuple[str, str], ...] = ()
    workers: int = 2
    crashes: int = 2

    @property
    def items(self) -> int:
        return 1 + max(message.item for message in self.messages)

    def start(self) -> State:
        return State(
            (Item(),) * self.items,
            self.stored,
            tuple(md5 for md5, _owner in self.stored),
            (),
            tuple(sorted(self.messages)),
            (),
            self.crashes,
            1 if self.retried else 0,
        )


@dataclass(frozen=True)
class Explored:
    """`halves_left` are downloads whose gray version is still put aside in the end, though their hash had come."""

    states: int
    at_rest: int
    violations: frozenset[str]
    halves_left: frozenset[str]


FIRST_STEP = {"hash": "note", "gray": "claim", "failure": "end", "known": "end"}


class Model:
    """Moves a state by one step. `without` leaves out a rule."""

    def __init__(self, without: Rule | None = None) -> None:
        self._without = without
        self._steps: dict[str, Callable[[State, Worker], tuple[State, Worker | None]]] = {
            name: getattr(self, f"_{name}")
            for name in (
                *("note", "look", "fetch", "claim", "read", "put_aside", "read_owners", "insert_gray"),
                *("insert_image", "read_owner", "end", "forget", "ack"),
            )
        }

    def next_states(self, state: State, limit: int) -> Iterator[tuple[str, State]]:
        for index, worker in enumerate(state.workers):
            others = state.workers[:index] + state.workers[index + 1 :]
            moved, then = self._steps[worker.step](state, worker)
            yield worker.step, moved._replace(workers=others if then is None else _with(others, then))
            if state.crashes and worker != _fresh(worker.message):
                queue = _with(state.queue, worker.message)
                yield "crash", state._replace(queue=queue, workers=others, crashes=state.crashes - 1)
        if len(state.workers) < limit:
            for message in dict.fromkeys(state.queue):
                rest = list(state.queue)
                rest.remove(message)
                yield "deliver", state._replace(queue=tuple(rest), workers=_with(state.workers, _fresh(message)))

    def _note(self, state: State, worker: Worker) -> tuple[State, Worker]:
        item = state.items[worker.message.item]
        if _open(item, worker.message):
            hashes = tuple(sorted({*item.hashes, worker.message.download}))
            state = _set_item(state, worker.message.item, item._replace(hashes=hashes))
        return state, worker._replace(step="look")

    def _look(self, state: State, worker: Worker) -> tuple[State, Worker]:
        return state, worker._replace(step="fetch" if _half(state, worker) else "ack")

    def _fetch(self, state: State, worker: Worker) -> tuple[State, Worker]:
        gray = _half(state, worker)
        if gray is None:
            return state, worker._replace(step="forget")
        return state, worker._replace(step="claim", gray=gray)

    def _claim(self, state: State, worker: Worker) -> tuple[State, Worker]:
        gray, item = worker.gray, state.items[worker.gray.item]
        free = item.claim in (None, gray.download)
        if self._without is not Rule.CLAIM and _open(item, gray) and gray.download in item.hashes and free:
            state = _set_item(state, gray.item, item._replace(claim=gray.download))
        return state, worker._replace(step="read")

    def _read(self, state: State, worker: Worker) -> tuple[State, Worker]:
        gray, item = worker.gray, state.items[worker.gray.item]
        if _open(item, gray) and self._claimed(item, gray):
            step = "read_owners"
        elif _open(item, gray) and item.claim is None and worker.message.kind == "gray":
            step = "ack" if worker.again else "put_aside"
        else:
            step = _finished(worker)
        return state, worker._replace(step=step)

    def _claimed(self, item: Item, gray: Message) -> bool:
        return gray.download in item.hashes if self._without is Rule.CLAIM else item.claim == gray.download

    def _put_aside(self, state: State, worker: Worker) -> tuple[State, Worker]:
        state = state._replace(halves=tuple(sorted({*state.halves, worker.gray})))
        return state, worker._replace(step="ack" if self._without is Rule.LOOK_AGAIN else "claim", again=True)

    def _read_owners(self, state: State, worker: Worker) -> tuple[State, Worker]:
        owner = self._owner(state, worker)
        return state, worker._replace(step="end" if owner else "insert_gray", owner=owner)

    def _insert_gray(self, state: State, worker: Worker) -> tuple[State, Worker]:
        return state._replace(grays=tuple(sorted({*state.grays, worker.gray.md5}))), worker._replace(
            step="insert_image"
        )

    def _insert_image(self, state: State, worker: Worker) -> tuple[State, Worker]:
        gray = worker.gray
        if gray.md5 in dict(state.images):
            return state, worker._replace(step="read_owner")
        state = state._replace(images=_with(state.images, (gray.md5, gray.download)))
        return state, worker._replace(step="end", owner=gray.download)

    def _read_owner(self, state: State, worker: Worker) -> tuple[State, Worker]:
        return state, worker._replace(step="end", owner=self._owner(state, worker))

    def _owner(self, state: State, worker: Worker) -> str:
        owner = dict(state.images).get(worker.gray.md5, "")
        return "somebody" if owner and self._without is Rule.OWNER else owner

    def _end(self, state: State, worker: Worker) -> tuple[State, Worker]:
        message = worker.gray
        item = state.items[message.item]
        claimed_by = message.download or None
        if _open(item, message) and (self._without is Rule.CLAIM or item.claim == claimed_by):
            state = _set_item(state, message.item, item._replace(outcome=_outcome(worker), hashes=()))
        return state, worker._replace(step=_finished(worker))

    def _forget(self, state: State, worker: Worker) -> tuple[State, Worker]:
        halves = tuple(half for half in state.halves if half.download != worker.gray.download)
        return state._replace(halves=halves), worker._replace(step="ack")

    def _ack(self, state: State, _worker: Worker) -> tuple[State, None]:
        return state, None


def explore(scenario: Scenario, *, without: Rule | None = None) -> Explored:
    """Visit every state that can be reached, and tell in which words any of them breaks what the join promises."""
    model = Model(without)
    start = scenario.start()
    seen, waiting = {start}, [start]
    violations: set[str] = set()
    halves_left: set[str] = set()
    hashed = {message.download for message in scenario.messages if message.kind == "hash"}
    at_rest = 0
    while waiting:
        state = waiting.pop()
        if not state.queue and not state.workers:
            at_rest += 1
            violations.update(_broken_at_rest(scenario, state))
            halves_left.update(hashed & {half.download for half in state.halves})
        for step, following in (*model.next_states(state, scenario.workers), *_retry(scenario, state)):
            if following not in seen:
                seen.add(following)
                waiting.append(following)
                if step not in ("deliver", "crash"):
                    violations.update(_broken_by_a_step(state, following))
    return Explored(len(seen), at_rest, frozenset(violations), frozenset(halves_left))


def _retry(scenario: Scenario, state: State) -> Iterator[tuple[str, State]]:
    """A person has a failed item tried again, at any moment."""
    for index, item in enumerate(state.items):
        if state.retries and item.outcome is not None and item.outcome[0] == "error":
            state = _set_item(state, index, Item(item.round + 1))
            queue = tuple(sorted(state.queue + scenario.retried))
            yield "retry", state._replace(queue=queue, retries=state.retries - 1)


def _broken_by_a_step(before: State, after: State) -> Iterator[str]:
    for old, new in zip(before.items, after.items, strict=True):
        if old.outcome is not None and old.round == new.round and old.outcome != new.outcome:
            yield "an outcome changed"
    if not {md5 for md5, _owner in after.images} <= set(after.grays):
        yield "an image can be seen before its gray version"


def _broken_at_rest(scenario: Scenario, state: State) -> Iterator[str]:
    images = dict(state.images)
    if len(images) != len(state.images):
        yield "two images of one MD5"
    owners = set(images.values())
    for index, item in enumerate(state.items):
        mine = [message for message in (*scenario.messages, *scenario.retried) if message.item == index]
        delivered = [message for message in mine if message.round == item.round]
        own_images = owners & {message.download for message in mine if message.download}
        if (item.outcome is not None) != _complete(delivered):
            yield "no outcome, though all was delivered" if item.outcome is None else "an outcome out of nothing"
        kind, md5 = item.outcome or ("pending", "")
        if kind == "success" and images.get(md5) != item.claim:
            yield "a success whose image is not the claimed download's"
        if kind == "duplicate" and images.get(md5) in (None, item.claim):
            yield "a duplicate of nobody's image"
        if own_images != ({item.claim} if kind == "success" else set()):
            yield f"an item that ended as {kind} has an image of its own"


def _complete(delivered: list[Message]) -> bool:
    hashed, gray = ({message.download for message in delivered if message.kind == kind} for kind in ("hash", "gray"))
    return bool(hashed & gray) or any(message.kind in ("failure", "known") for message in delivered)


def _outcome(worker: Worker) -> tuple[str, str]:
    message = worker.gray
    if message.kind == "failure":
        return "error", ""
    if message.kind == "known" or worker.owner != message.download:
        return "duplicate", message.md5
    return "success", message.md5


def _finished(worker: Worker) -> str:
    """Who knows of a half deletes it."""
    return "forget" if worker.again or worker.message.kind == "hash" else "ack"


def _fresh(message: Message) -> Worker:
    return Worker(message, FIRST_STEP[message.kind], message)


def _open(item: Item, message: Message) -> bool:
    return item.outcome is None and item.round == message.round


def _half(state: State, worker: Worker) -> Message | None:
    return next((half for half in state.halves if half.download == worker.message.download), None)


def _set_item(state: State, index: int, item: Item) -> State:
    return state._replace(items=(*state.items[:index], item, *state.items[index + 1 :]))


def _with(values: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    return tuple(sorted((*values, value)))
