"""Guesses at the password of one account, from wherever they come: after some wrong ones each next has to wait longer.

Nobody can lock an owner out by guessing: a place from which somebody got in before, that is a browser or a network,
has a count of its own, and strangers' guesses do not make it wait. Names that nobody has are counted like all others:
a pause reveals nothing. Counted in Redis, for all web processes together.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from redis import Redis
from redis.client import Pipeline

from flowforge.db.name_keys import key_of

FREE = 10
"""Wrong guesses before the first pause: more than people need, and clients that sign in several times at once."""
FIRST_PAUSE_SECONDS = 5
LONGEST_PAUSE_SECONDS = 300
"""The pauses double up to this: about 300 guesses a day, whatever number of addresses they come from."""
REMEMBERED_SECONDS = 24 * 3600
FAMILIAR_SECONDS = 90 * 24 * 3600
_STRANGERS = "strangers"
_IPV4_NETWORK, _IPV6_NETWORK = 24, 64

_BEGIN = """
local place = ARGV[1]
for index = 6, #ARGV do
    if redis.call('EXISTS', KEYS[1] .. ':familiar:' .. ARGV[index]) == 1 then place = ARGV[index] break end
end
local wrong, pause = KEYS[1] .. ':wrong:' .. place, KEYS[1] .. ':pause:' .. place
local left = redis.call('PTTL', pause)
if left > 0 then return {left, place} end
local count = redis.call('INCR', wrong)
redis.call('EXPIRE', wrong, ARGV[5])
if count > tonumber(ARGV[2]) then
    local seconds = math.min(ARGV[3] * 2 ^ (count - ARGV[2] - 1), tonumber(ARGV[4]))
    redis.call('SET', pause, '1', 'EX', string.format('%d', seconds))
end
return {0, place}
"""
"""Counts a guess as a wrong one, until it proves to be right; returns the milliseconds that it has to wait instead, and
the place it is counted for. At once for all, or guesses made side by side would pass together."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A guess that was let through. `account` and `places` are digests."""

    account: str
    place: str
    places: Sequence[str]


class MustWait(Exception):
    """Raised instead of letting a guess through."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the next guess may come in {seconds} seconds")
        self.seconds = seconds


class Guesses:
    """Counts guesses. All methods raise RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._begin = redis.register_script(_BEGIN)

    def begin(self, username: str, places: Sequence[str]) -> Guess:
        """Let a guess through that comes from these places, and count it as wrong. Raises MustWait."""
        account, digests = _digest(key_of(username)), [_digest(place) for place in places]
        limits = (FREE, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, REMEMBERED_SECONDS)
        wait, place = self._begin(keys=[_key(account)], args=[_STRANGERS, *limits, *digests])
        if wait:
            raise MustWait(wait / 1000)
        return Guess(account, place.decode(), digests)

    def was_right(self, guess: Guess) -> None:
        """Forget the wrong ones of its place; all its places are familiar from now on."""
        key = _key(guess.account)
        with self._redis.pipeline() as pipeline:
            pipeline.delete(f"{key}:wrong:{guess.place}", f"{key}:pause:{guess.place}")
            _make_familiar(pipeline, key, guess.places)
            pipeline.execute()

    def make_familiar(self, username: str, places: Sequence[str]) -> None:
        """Know these places from now on: somebody there has proven to be the owner, but not by a password."""
        with self._redis.pipeline() as pipeline:
            _make_familiar(pipeline, _key(_digest(key_of(username))), [_digest(place) for place in places])
            pipeline.execute()

    def was_none(self, guess: Guess) -> None:
        """Take back what was counted: nothing was checked."""
        self._redis.decr(f"{_key(guess.account)}:wrong:{guess.place}")


def network_of(address: str) -> str:
    """The network of an address, as providers give them to one customer: a /24 of IPv4, a /64 of IPv6; the text itself
    where it is no address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    prefix = _IPV4_NETWORK if parsed.version == 4 else _IPV6_NETWORK
    return str(ipaddress.ip_network((parsed, prefix), strict=False))


def _make_familiar(pipeline: Pipeline, key: str, places: Sequence[str]) -> None:
    for place in places:
        pipeline.set(f"{key}:familiar:{place}", 1, ex=FAMILIAR_SECONDS)


def _key(account: str) -> str:
    return f"flowforge:guesses:{account}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
