"""Who may call a webhook, and how: what a call says is believed once it is known who sends it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, after_this_request, request
from werkzeug.exceptions import MethodNotAllowed

from flowforge.errors import Forbidden
from flowforge.triggers.webhooks.authentication import Handshake, NotProven, Proof
from flowforge.triggers.webhooks.hook import Hook
from webapp.intake import hooks
from webapp.intake.cross_origin import allowed_methods, answer_preflight, is_foreign_page, share_answer

ASKING = frozenset({"HEAD", "OPTIONS"})
"""Methods that ask what a call would be answered, and must not make anything happen."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A call that is let in."""

    hook: Hook
    proof: Proof


def judge_asking(hook: Hook) -> Response:
    if request.method == "OPTIONS":
        share_answer(hook)
        return answer_preflight(hook)
    _require_method(hook, "GET")
    return Response(mimetype="application/json")


def judge(hook: Hook) -> Judged | Handshake:
    """Raises MethodNotAllowed, Forbidden, NotProven."""
    share_answer(hook)
    _echo(hook.authentication.echoed_header)
    if not hook.admits(request.remote_addr or ""):
        raise Forbidden("this webhook takes no calls from your address")
    if is_foreign_page(hook):
        raise Forbidden("this webhook takes no calls from pages of this origin")
    if hook.is_open:
        _require_method(hook, request.method)
        return Judged(hook, Proof())
    return _prove(hook)


def answer_handshake(handshake: Handshake) -> Response:
    return Response(handshake.body, 200, handshake.headers, mimetype=handshake.media_type)


def _prove(hook: Hook) -> Judged | Handshake:
    """A handshake comes by the method that its provider wants."""
    call, authentication = hooks.read_call(), hook.authentication
    try:
        handshake = authentication.handshake(call)
        if handshake is not None:
            return handshake
        _require_method(hook, request.method)
        return Judged(hook, authentication.verify(call))
    except NotProven as error:
        error.challenge = authentication.challenge
        raise


def _echo(name: str | None) -> None:
    """Gives the header back in the answer, whatever that is, where it was sent."""
    sent = request.headers.get(name) if name else None
    if not name or not sent:
        return

    def echo(response: Response) -> Response:
        response.headers[name] = sent
        return response

    after_this_request(echo)


def _require_method(hook: Hook, method: str) -> None:
    if method not in hook.config.methods:
        raise MethodNotAllowed(allowed_methods(hook))
