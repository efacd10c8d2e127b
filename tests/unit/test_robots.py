"""What a robots.txt lets through, and when it is asked for."""

import threading
import time

import pytest

from common.errors import ItemError, Permanent, Postponed, Transient, Unavailable
from common.fetching.robots import LIFETIME_SECONDS, MOST_KEPT_CHARACTERS, MOST_READ_BYTES, Robots
from common.fetching.target import read_target
from common.reasons import Reason

SITE = "https://images.example.com"


class Web:
    """Answers with what the test puts there, and keeps what was asked for."""

    def __init__(self, answer: str | bytes | Exception = "") -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.now = 1000.0
        self.robots = Robots(self._fetch, clock=lambda: self.now)

    def _fetch(self, url: str, _seconds: float) -> bytes:
        self.asked.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, bytes) else self.answer.encode()

    def check(self, path: str = "/a.png", site: str = SITE) -> None:
        self.robots.check(read_target(site + path, max_length=8_000), within_seconds=5)

    def allows(self, path: str = "/a.png") -> bool:
        try:
            self.check(path)
        except Permanent as error:
            return error.reason is not Reason.ROBOTS
        return True


def refusal(web: Web) -> ItemError:
    with pytest.raises(ItemError) as refused:
        web.check()
    return refused.value


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/a.png", True),
        ("User-agent: *\nDisallow: /", "/a.png", False),
        ("User-agent: *\nDisallow: /private/", "/private/a.png", False),
        ("User-agent: *\nDisallow: /private/", "/public/a.png", True),
        ("User-agent: *\nDisallow:", "/a.png", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: graymill\nAllow: /", "/a.png", True),
        ("User-agent: *\nAllow: /\n\nUser-agent: Graymill\nDisallow: /", "/a.png", False),
        ("User-agent: Graymill/1.0 # that one\nDisallow: /", "/a.png", False),
        ("User-agent: gray\nDisallow: /", "/a.png", True),
        ("User-agent: graymiller\nDisallow: /", "/a.png", True),
        ("User-agent: other\nUser-agent: graymill\nDisallow: /", "/a.png", False),
        ("User-agent: other\nDisallow: /", "/a.png", True),
        ("user-agent:*\r\ndisallow:/x\r\nallow:/x/y", "/x/y/a.png", True),
        ("\ufeffUser-agent: *\nDisallow: /", "/a.png", False),
        ("User-agent: *\nDisallow: /*.png$", "/a.png", False),
        ("User-agent: *\nDisallow: /*.png$", "/a.png?size=1", True),
        ("User-agent: *\nDisallow: /\u4f8b", "/%E4%BE%8B/a.png", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("<!doctype html><title>Not found</title>", "/a.png", True),
    ],
)
def test_what_it_says_holds_for_us(text: str, path: str, allowed: bool) -> None:
    assert Web(text).allows(path) is allowed


def test_bytes_that_are_no_text_are_read_as_far_as_they_go() -> None:
    assert not Web(b"\xff\xfe\x00\nUser-agent: *\nDisallow: /\n\xff").allows()


def test_it_is_asked_for_once_per_origin() -> None:
    web = Web("User-agent: *\nDisallow: /x")
    for path in ("/a", "/b", "/x"):
        web.allows(path)
    web.check(site="http://images.example.com")
    web.check(site=f"{SITE}:8443")
    origins = (SITE, "http://images.example.com", f"{SITE}:8443")
    assert web.asked == [f"{origin}/robots.txt" for origin in origins]


def test_it_is_asked_for_again_after_an_hour() -> None:
    web = Web("User-agent: *\nDisallow: /")
    assert not web.allows()
    web.answer = ""
    web.now += LIFETIME_SECONDS - 1
    assert not web.allows()
    web.now += 2
    assert web.allows()


@pytest.mark.parametrize(
    "error",
    [
        Permanent(Reason.HTTP_4XX, "404 Not Found", status=404),
        Permanent(Reason.HTTP_4XX, "403 Forbidden", status=403),
        Permanent(Reason.REDIRECT_LIMIT, "more than 5 redirects"),
        Permanent(Reason.EMPTY_BODY, "status 200 without a body"),
    ],
    ids=str,
)
def test_without_one_everything_is_allowed(error: ItemError) -> None:
    web = Web(error)
    assert web.allows("/a")
    assert web.allows("/b")
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    "error",
    [
        Transient(Reason.HTTP_5XX, "503 Service Unavailable", status=503),
        Transient(Reason.RATE_LIMITED, "429 Too Many Requests", status=429),
        Transient(Reason.TIMEOUT, "too long"),
        Transient(Reason.CONNECT, "refused"),
        Transient(Reason.DNS, "no answer"),
        Permanent(Reason.TLS, "expired"),
        Permanent(Reason.BLOCKED_ADDRESS, "a redirect to 127.0.0.1"),
    ],
    ids=str,
)
def test_while_it_cannot_be_had_nothing_is_allowed_for_that_reason(error: ItemError) -> None:
    web = Web(error)
    told = refusal(web)
    expected = (type(error), error.reason, error.status, f"robots.txt: {error.detail}")
    assert (type(told), told.reason, told.status, told.detail) == expected
    web.answer = ""
    assert web.allows()


@pytest.mark.parametrize("error", [Unavailable("MongoDB"), Postponed(Reason.TIMEOUT, "paused", after_seconds=1)])
def test_what_has_nothing_to_do_with_it_is_passed_on(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        Web(error).check()
    assert raised.value is error


def test_those_who_come_while_it_is_asked_for_wait_for_the_same_answer() -> None:
    asked, answered = threading.Semaphore(0), threading.Event()
    outcomes: list[str] = []

    def fetch(_url: str, _seconds: float) -> bytes:
        asked.release()
        answered.wait(10)
        return b"User-agent: *\nDisallow: /"

    robots = Robots(fetch)

    def check() -> None:
        with pytest.raises(Permanent) as refused:
            robots.check(read_target(f"{SITE}/a", max_length=100), within_seconds=10)
        outcomes.append(refused.value.reason)

    threads = [threading.Thread(target=check) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert asked.acquire(timeout=10)
    answered.set()
    for thread in threads:
        thread.join()
    assert outcomes == [Reason.ROBOTS] * 8
    assert not asked.acquire(blocking=False)


def test_who_cannot_wait_any_longer_tries_again() -> None:
    asked, answered = threading.Event(), threading.Event()

    def fetch(_url: str, _seconds: float) -> bytes:
        asked.set()
        answered.wait(10)
        return b""

    robots, target = Robots(fetch), read_target(f"{SITE}/a", max_length=100)
    first = threading.Thread(target=robots.check, args=[target], kwargs={"within_seconds": 10})
    first.start()
    assert asked.wait(10)
    with pytest.raises(Transient) as late:
        robots.check(target, within_seconds=0.01)
    answered.set()
    first.join()
    assert late.value.reason is Reason.TIMEOUT


def test_a_crawl_delay_lets_one_through_at_a_time_and_gives_each_other_a_moment_of_its_own() -> None:
    web = Web("User-agent: *\nCrawl-delay: 10")
    web.check()
    waits = []
    for _ in range(3):
        with pytest.raises(Postponed) as later:
            web.check()
        waits.append(later.value.after_seconds)
    assert waits == [10, 20, 30]
    web.now += 10
    web.check()


@pytest.mark.parametrize(
    ("delay", "granted"), [("86400", 30), ("-1", None), ("inf", None), ("soon", None), ("0", None)]
)
def test_a_crawl_delay_is_bounded(delay: str, granted: float | None) -> None:
    web = Web(f"User-agent: *\nCrawl-delay: {delay}")
    web.check()
    if granted is None:
        web.check()
    else:
        with pytest.raises(Postponed) as later:
            web.check()
        assert later.value.after_seconds == granted


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"User-agent: a{number}\n" for number in range(16_000)) + "Allow: /x\n" * 25_000,
        "User-agent: *\n" + "Disallow: /*a*b\n" * 31_000,
        "User-agent: *\nDisallow: " + "*a" * 250_000,
        "User-agent: *\nDisallow: /" + "%" * 500_000,
        " " * MOST_READ_BYTES,
        "user-agent" + " " * MOST_READ_BYTES,
    ],
    ids=["agents times rules", "many wildcards", "one of many wildcards", "percent signs", "blanks", "blanks inside"],
)
def test_a_hostile_one_costs_little_time(text: str) -> None:
    web = Web(text[:MOST_READ_BYTES])
    began = time.process_time()
    web.allows("/" + "a" * 2_000)
    assert time.process_time() - began < 5


def test_so_many_are_kept_as_fit_into_memory() -> None:
    web = Web("User-agent: *\nDisallow: /\n" + "#" * (MOST_KEPT_CHARACTERS // 8))
    sites = [f"https://{number}.example" for number in range(10)]
    for _ in range(2):
        for site in sites:
            with pytest.raises(Permanent):
                web.check(site=site)
    assert len(web.asked) == 20
    with pytest.raises(Permanent):
        web.check(site=sites[-1])
    assert len(web.asked) == 20
