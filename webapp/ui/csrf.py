"""Forms prove that our own page sent them: each carries the token that the session holds.

On a page the token is masked, otherwise each time: were it always the same text, whoever can measure the sizes of
compressed pages and choose a part of them could guess it character by character (the BREACH attack).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets

from flask import g, request
from flask import session as cookie
from werkzeug.exceptions import Forbidden

from flowforge.sentences import sentence
from webapp.ui import guard

FIELD = "csrf_token"
_KEY = "csrf"
_BYTES = 32


def token() -> str:
    """This session's token, made at its first use; one mask for each request."""
    if _KEY not in cookie:
        cookie[_KEY] = secrets.token_urlsafe(_BYTES)
    if "csrf_token" not in g:
        g.csrf_token = _mask(str(cookie[_KEY]).encode())
    masked: str = g.csrf_token
    return masked


def renew() -> None:
    """Replace the session's token, at every sign-in and sign-out."""
    cookie.pop(_KEY, None)
    g.pop("csrf_token", None)


def check() -> None:
    """Check the token of every POST, before the view. Raises Forbidden without the session's token."""
    if request.method != "POST" or guard.needs_sign_in():
        return
    held, sent = str(cookie.get(_KEY, "")).encode(), _unmasked(request.form.get(FIELD, ""))
    if not held or not hmac.compare_digest(held, sent):
        raise Forbidden(sentence("this form is too old or was not ours; go back, reload the page and send it again"))


def _mask(held: bytes) -> str:
    mask = secrets.token_bytes(len(held))
    return base64.urlsafe_b64encode(mask + _xor(mask, held)).decode()


def _unmasked(sent: str) -> bytes:
    """Empty where it was not made by us."""
    try:
        both = base64.b64decode(sent.encode(), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return b""
    half = len(both) // 2
    return _xor(both[:half], both[half:])


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))
