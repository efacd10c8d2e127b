"""API keys and the sessions that are signed with them."""

import pytest
from itsdangerous import TimestampSigner

from services.api.keys import SESSION_SECONDS, Keys

OLD, NEW = "an-old-key-of-24-letters", "a-new-key-of-24-letters+"
KEYS = Keys([OLD, NEW])


def session_of(key: str) -> str:
    digest = KEYS.find(key)
    assert digest is not None
    return KEYS.open_session(digest)


def test_each_key_is_found_and_nothing_that_is_nearly_one() -> None:
    assert KEYS.find(OLD) != KEYS.find(NEW)
    for given in ("", OLD[:-1], f"{OLD} ", OLD.upper(), f"{OLD},{NEW}", "kéy", "\udcff", "x" * 100_000):
        assert KEYS.find(given) is None


def test_a_session_is_its_keys_and_does_not_show_it() -> None:
    assert KEYS.find_session(session_of(OLD)) == KEYS.find(OLD)
    assert KEYS.find_session(session_of(NEW)) == KEYS.find(NEW)
    assert OLD not in session_of(OLD)


def test_a_session_ends_when_its_key_is_taken_away() -> None:
    assert Keys([NEW]).find_session(session_of(OLD)) is None
    assert Keys([NEW]).find_session(session_of(NEW)) is not None
    assert Keys([]).find_session(session_of(NEW)) is None


def test_a_session_that_was_ended_is_over_and_no_other() -> None:
    keys = Keys([OLD, NEW])
    mine, other = session_of(OLD), session_of(OLD)
    keys.end_session("none of ours")
    keys.end_session(mine)
    assert keys.find_session(mine) is None
    assert keys.find_session(other) == keys.find(OLD)


def test_no_more_ended_sessions_are_remembered_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.api.keys.MOST_ENDED", 2)
    keys, sessions = Keys([OLD]), [session_of(OLD) for _ in range(3)]
    for session in sessions:
        keys.end_session(session)
    assert [keys.find_session(session) is None for session in sessions] == [False, True, True]


def test_a_session_is_over_after_some_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    began = TimestampSigner.get_timestamp
    for seconds, is_over in ((SESSION_SECONDS - 60, False), (SESSION_SECONDS + 1, True)):
        session = session_of(OLD)
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self, after=seconds: began(self) + after)
        assert (KEYS.find_session(session) is None) == is_over
        monkeypatch.undo()


def test_what_we_have_not_signed_is_no_session() -> None:
    whole = session_of(OLD)
    for changed in (
        "",
        whole[:-1],
        f"x{whole}",
        whole.partition(".")[0],
        f"{whole}x",
        "a.b.c",
        "é.ü.ß",
    ):
        assert KEYS.find_session(changed) is None


def test_no_keys_are_none() -> None:
    assert not Keys([])
    assert Keys([]).find("") is None
