"""Nodes that steer: waiting, answering, stopping, calling other workflows, and those that do nothing."""

from __future__ import annotations

import re

from flowforge.n8n.asking import Asked, Ending, Left, Result, one
from flowforge.n8n.data import Data, Output
from flowforge.n8n.names import key_of
from flowforge.n8n.nodes import node
from flowforge.sentences import sentence
from flowforge.workflows.workflow_keys import PREFIX

_OWN_ID = re.compile(r"=\s*\{\{\s*\$workflow\.id\s*\}\}\s*")
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}


@node("noOp", "stickyNote", "executionData")
def nothing(asked: Asked) -> Result:
    return asked.given


@node("wait")
def wait(asked: Asked) -> Result:
    how = asked.choice("resume", "timeInterval")
    if how == "timeInterval":
        amount, unit = asked.number("amount", 1), asked.raw("unit", "hours" if asked.node.version < 1.1 else "seconds")
        asked.step("WAIT", {"seconds": _seconds(asked, amount, str(unit))})
        return asked.given
    if how == "specificTime":
        asked.step("WAIT", {"until": asked.text("dateTime")})
        return asked.given
    if how == "form":
        asked.note(sentence("the form became a question that is answered with yes or no"))
        path = asked.step("WAIT", {"for": "approval", "message": asked.text("formTitle")})
        return one(path)
    config: dict[str, object] = {"for": "resume"}
    if asked.raw("limitWaitTime") is True and asked.raw("limitType", "afterTimeInterval") == "afterTimeInterval":
        amount, unit = asked.number("resumeAmount", 1), str(asked.raw("resumeUnit", "hours"))
        config |= {"timeout": _seconds(asked, amount, unit), "onTimeout": "continue"}
    return one(asked.step("WAIT", config))


def _seconds(asked: Asked, amount: object, unit: str) -> object:
    factor = _SECONDS.get(unit, 1)
    if isinstance(amount, int | float):
        return max(0, amount) * factor
    return asked.braced(f"({asked.bare(asked.raw('amount'))}) * {factor}")


@node("stopAndError")
def stop(asked: Asked) -> Result:
    message = asked.text("errorMessage") if asked.raw("errorType") != "errorObject" else asked.text("errorObject")
    asked.step("STOP", {"status": "failed", "message": message})
    return Ending()


@node("respondToWebhook")
def respond(asked: Asked) -> Result:
    kind = asked.raw("respondWith", "firstIncomingItem")
    config: dict[str, object] = {"status": asked.number("options.responseCode", 302 if kind == "redirect" else 200)}
    headers = {
        str(row.get("name", "")): asked.text_of(row.get("value"))
        for row in asked.rows("options.responseHeaders.entries")
    }
    body = _body(asked, str(kind))
    if kind == "redirect":
        headers["Location"] = asked.text("redirectURL")
    if kind in ("text",) and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "text/html; charset=utf-8"
    config |= {"headers": {name: value for name, value in headers.items() if name}} if headers else {}
    asked.step("RESPOND", config | ({"body": body} if body is not None else {}))
    return asked.given


def _body(asked: Asked, kind: str) -> object:
    if kind == "firstIncomingItem":
        return asked.item
    if kind == "allIncomingItems":
        return asked.braced(asked.given.items)
    if kind == "json":
        return asked.value("responseBody")
    if kind == "text":
        return asked.text("responseBody")
    if kind == "binary":
        return asked.file(str(asked.raw("inputFieldName", "data")))
    if kind in ("noData", "redirect"):
        return None
    raise Left(sentence("an answer with '%(kind)s' has no counterpart", kind=kind))


@node("executeWorkflow")
def call(asked: Asked) -> Result:
    """The other workflow is called by the key that an import gives to it."""
    if asked.raw("source", "database") not in ("database", "parameter"):
        raise Left(sentence("the workflow that it calls stands somewhere else: import that one, then call it"))
    id_ = asked.raw("workflowId", "")
    if isinstance(id_, str) and _OWN_ID.fullmatch(id_):
        id_ = asked.workflow.called_by
    if not isinstance(id_, str) or id_.startswith("=") or asked.raw("source") == "parameter":
        raise Left(sentence("which workflow it calls is computed: choose it by hand"))
    asked.note(sentence("import the workflow that it calls, too, or choose another one"))
    config = {"workflowId": f"{PREFIX}{key_of(id_ or 'workflow')}", "payload": _payload(asked)}
    if asked.raw("options.waitForSubWorkflow") is False:
        config["wait"] = False
    path = asked.step("RUN_WORKFLOW", config)
    return Output(Data(f"{path}.result", unlike=True))


def _payload(asked: Asked) -> object:
    values = asked.raw("workflowInputs.value")
    return asked.values.value(values) if isinstance(values, dict) and values else asked.item


@node("form")
def form(asked: Asked) -> Result:
    """A further page of a form: its end is an answer to the caller, other pages are questions that wait."""
    if asked.choice("operation", "page") == "completion":
        asked.note(sentence("the message at the end is an answer: have the form respond by a RESPOND step to show it"))
        text = asked.text("completionMessage") or asked.text("responseText") or asked.text("completionTitle") or "Done"
        asked.step("TRANSFORM", {"output": {"message": text, "redirect": asked.text("redirectUrl")}})
        return asked.given
    asked.note(
        sentence(
            "the page became a wait for a call that brings its fields: send somebody the link {{ resume.<id>.url }}"
        )
    )
    path = asked.step("WAIT", {"for": "resume"})
    return Output(Data(f"{path}.body"))


@node("errorTrigger", "manualTrigger")
def started(asked: Asked) -> Result:
    return asked.given
