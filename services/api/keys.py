"""API keys, and the sessions of those who have signed in with one.

The keys stand in the environment as they are, as the passwords of broker and database do beside them: who reads it has
the database, too, and `make key` can show them.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Sequence

from itsdangerous import BadSignature, TimestampSigner

SESSION_SECONDS = 12 * 3600
_SALT = "graymill.session"
_NAME_BYTES = 12
MOST_ENDED = 10_000
"""So many sessions are remembered that were ended by signing out, the latest of them."""


class Keys:
    """The keys that are taken, and the sessions that this process has ended; used by many threads at once."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = {_digest(key): key for key in keys}
        self._ended: dict[bytes, None] = {}
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self._keys)

    def find(self, given: str) -> bytes | None:
        """Give the digest of this key, None if it is none of ours; how long that takes tells nothing of the keys."""
        asked = _digest(given)
        found = [known for known in self._keys if hmac.compare_digest(known, asked)]
        return found[0] if found else None

    def open_session(self, digest: bytes) -> str:
        """Make a session for who has this key: signed with it, so that it ends when the key is taken away."""
        return _signer(self._keys[digest]).sign(secrets.token_urlsafe(_NAME_BYTES)).decode()

    def find_session(self, session: str) -> bytes | None:
        """Give the digest of the key that the session was opened with, None if it is over or none of ours."""
        digest, name = self._read(session)
        return digest if name not in self._ended else None

    def end_session(self, session: str) -> None:
        """Take a session no more, whoever has a copy of it; what is none of ours is passed over."""
        digest, name = self._read(session)
        if digest is None:
            return
        with self._lock:
            self._ended[name] = None
            if len(self._ended) > MOST_ENDED:
                del self._ended[next(iter(self._ended))]

    def _read(self, session: str) -> tuple[bytes | None, bytes]:
        for digest, key in self._keys.items():
            try:
                return digest, _signer(key).unsign(session, max_age=SESSION_SECONDS)
            except BadSignature:
                continue
        return None, b""


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


def _signer(key: str) -> TimestampSigner:
    return TimestampSigner(key, salt=_SALT, key_derivation="hmac", digest_method=hashlib.sha256)
