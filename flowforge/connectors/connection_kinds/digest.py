"""digest: a user name and a password of which only a digest is sent, made with the server's challenge (RFC 7616).

The challenge is kept, so that only the first call is made twice; the server says where it has become stale.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit
from urllib.request import parse_http_list, parse_keqv_list

from flowforge import jsonio
from flowforge.connectors.sdk import (
    ConnectionKind,
    ConnectorConfig,
    Credentials,
    Request,
    Response,
    field,
    secret,
    token_key,
)

Challenge = Mapping[str, str]
_CHALLENGES = re.compile(r"(?:^|,)\s*(?=[A-Za-z]+\s+[A-Za-z]+\s*=)")
"""Where one challenge of a header begins (RFC 9110, 11.6.1): a scheme, and its first parameter."""
_HASHES: Mapping[str, Callable[[bytes], str]] = {
    "SHA-512-256": lambda text: hashlib.new("sha512_256", text).hexdigest(),
    "SHA-256": lambda text: hashlib.sha256(text).hexdigest(),
    "MD5": lambda text: hashlib.md5(text, usedforsecurity=False).hexdigest(),
}
"""By the names of the RFC, the strongest first."""
_STRENGTH = list(_HASHES)
_SESSION = "-sess"


class DigestSignIn(ConnectorConfig):
    username: str = field(title="User name")
    password: str = secret("", title="Password")


def _sign(request: Request, credentials: Credentials[DigestSignIn]) -> Request:
    """Sends the first request as it is: the answer brings the challenge."""
    kept = credentials.context.tools.tokens.get(_key(credentials))
    if kept is None:
        return request
    challenge, used = jsonio.loads(kept)
    _keep(credentials, challenge, used + 1)
    header = authorization(credentials.config, challenge, request, used + 1, secrets.token_hex(16))
    return request.with_headers({"Authorization": header})


def _renew(refusal: Response, credentials: Credentials[DigestSignIn]) -> bool:
    """Keeps the strongest challenge that can be met."""
    challenges = sorted(filter(_can_be_met, _challenges(refusal)), key=lambda one: _STRENGTH.index(_algorithm(one)))
    if challenges:
        _keep(credentials, challenges[0], 0)
    return bool(challenges)


def _keep(credentials: Credentials[DigestSignIn], challenge: Challenge, used: int) -> None:
    """`used`: how often its nonce was, which servers check."""
    kept = jsonio.dumps([challenge, used]).decode()
    credentials.context.tools.tokens.keep(_key(credentials), kept, float("inf"))


def _key(credentials: Credentials[DigestSignIn]) -> bytes:
    config = credentials.config
    return token_key(credentials.context.user_id, f"{config.username}:{config.password}")


def _challenges(refusal: Response) -> list[Challenge]:
    sent = refusal.headers.get("www-authenticate", "")
    parts = [part.strip().rstrip(",") for part in _CHALLENGES.split(sent)]
    return [_parameters(part.partition(" ")[2]) for part in parts if part.lower().startswith("digest ")]


def _parameters(text: str) -> Challenge:
    try:
        return {name.lower(): value for name, value in parse_keqv_list(parse_http_list(text)).items()}
    except (ValueError, IndexError):
        return {}


def _can_be_met(challenge: Challenge) -> bool:
    """Whether it is whole, by an algorithm that is known; `auth-int` alone would need a digest of the body."""
    return {"realm", "nonce"} <= challenge.keys() and _algorithm(challenge) in _HASHES and "auth" in _offered(challenge)


def _offered(challenge: Challenge) -> list[str]:
    return [offer.strip().lower() for offer in challenge.get("qop", "auth").split(",")]


def _algorithm(challenge: Challenge) -> str:
    return challenge.get("algorithm", "MD5").upper().removesuffix(_SESSION.upper())


def authorization(config: DigestSignIn, challenge: Challenge, request: Request, count: int, cnonce: str) -> str:
    """The header that answers a challenge (RFC 7616, 3.4). `count`: which use of its nonce this is."""
    parts = urlsplit(request.url)
    uri = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    sent = {"username": config.username, "realm": challenge["realm"], "nonce": challenge["nonce"], "uri": uri}
    sent |= {"response": _digest(config, challenge, f"{request.method}:{uri}", count, cnonce)}
    sent |= {"opaque": challenge["opaque"]} if "opaque" in challenge else {}
    quoted = [f"{name}={_quoted(value)}" for name, value in sent.items()]
    plain = [f"algorithm={challenge['algorithm']}"] if "algorithm" in challenge else []
    plain += [f"qop=auth, nc={count:08x}", f"cnonce={_quoted(cnonce)}"] if "qop" in challenge else []
    return f"Digest {', '.join([*quoted, *plain])}"


def _digest(config: DigestSignIn, challenge: Challenge, target: str, count: int, cnonce: str) -> str:
    """RFC 7616, 3.4.1 to 3.4.3; RFC 2069 where the challenge has no `qop`."""
    hash_ = _HASHES[_algorithm(challenge)]
    nonce = challenge["nonce"]
    key = hash_(f"{config.username}:{challenge['realm']}:{config.password}".encode())
    if challenge.get("algorithm", "").lower().endswith(_SESSION):
        key = hash_(f"{key}:{nonce}:{cnonce}".encode())
    use = f"{nonce}:{count:08x}:{cnonce}:auth" if "qop" in challenge else nonce
    return hash_(f"{key}:{use}:{hash_(target.encode())}".encode())


def _quoted(value: str) -> str:
    """RFC 9110, 5.6.4."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


DIGEST = ConnectionKind(
    "digest",
    DigestSignIn,
    title="User name and password (digest)",
    help="A user name and a password that are not sent themselves, as cameras and older services ask for.",
    icon="key",
    keywords=("digest", "login", "password"),
    sign=_sign,
    renew=_renew,
)
