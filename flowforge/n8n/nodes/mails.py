"""Mails: Gmail, SMTP, Outlook; and messages that wait for an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Result, one, only_by_request
from flowforge.n8n.data import Data, Output, quote
from flowforge.n8n.nodes import node
from flowforge.n8n.nodes.services import by_table
from flowforge.sentences import sentence

GMAIL_FIELDS = {
    "Subject": "subject",
    "From": "from",
    "To": "to",
    "textPlain": "text",
    "textHtml": "html",
    "labelIds": "labels",
}
"""Fields of Gmail's mails by the names that n8n has for them."""


def _without_blanks(config: JsonObject) -> JsonObject:
    return {key: value for key, value in config.items() if value not in ("", None, [], {})}


def _is_html(asked: Asked) -> bool:
    usual = "html" if asked.node.version >= 2 else "text"
    return bool(asked.raw("emailType", usual) == "html" or asked.raw("includeHtml") is True)


def _files(asked: Asked, names: object) -> list[str]:
    """Attachments by the names of binary properties, separated by commas."""
    if not isinstance(names, str) or not names.strip():
        return []
    return [asked.file(name.strip()) for name in names.removeprefix("=").split(",") if name.strip()]


# -- Gmail


@node("gmail")
def gmail(asked: Asked) -> Result:
    resource = asked.choice("resource", "message")
    usual = {"message": "send", "draft": "create", "thread": "getAll", "label": "getAll"}.get(resource, "")
    operation = asked.choice("operation", usual)
    row = _GMAIL.get((resource, operation))
    if row is None:
        raise only_by_request(operation, "Gmail")
    return row(asked, {"connection": asked.connection("Gmail")})


def _send(asked: Asked, base: JsonObject) -> Output:
    attachments = [
        file
        for row in asked.rows("options.attachmentsUi.attachmentsBinary")
        for file in _files(asked, row.get("property"))
    ]
    attachments += [
        file
        for row in asked.rows("additionalFields.attachmentsUi.attachmentsBinary")
        for file in _files(asked, row.get("property"))
    ]
    body = "htmlMessage" if asked.raw("includeHtml") is True else "message"
    config = {
        "to": _listed(asked, "toList") or asked.address(asked.text("sendTo")),
        "cc": asked.text("options.ccList") or asked.text("additionalFields.ccList"),
        "bcc": asked.text("options.bccList") or asked.text("additionalFields.bccList"),
        "subject": asked.text("subject"),
        "html" if _is_html(asked) else "text": asked.text(body),
        "attachments": attachments,
    }
    return one(asked.step("GMAIL_SEND", base | _without_blanks(config)))


def _listed(asked: Asked, path: str) -> Any:
    raw = asked.raw(path)
    if isinstance(raw, str):
        return asked.text(path)
    return [asked.text_of(each) for each in raw] if isinstance(raw, list) else ""


def _query(asked: Asked) -> str:
    """The filters of the node, in the words of Gmail's search."""
    filters = asked.raw("filters", asked.raw("additionalFields", {}))
    filters = filters if isinstance(filters, dict) else {}
    words = [asked.text_of(filters.get("q", ""))]
    if filters.get("sender"):
        words.append(f"from:{asked.text_of(filters['sender'])}")
    if filters.get("readStatus") in ("read", "unread"):
        words.append(f"is:{filters['readStatus']}")
    for key, word in (("receivedAfter", "after"), ("receivedBefore", "before")):
        if filters.get(key):
            words.append(f"{word}:{asked.braced(f'({asked.bare(filters[key])}) | timestamp | floor')}")
    return " ".join(word for word in words if word)


def _get_all(asked: Asked, base: JsonObject) -> Output:
    """A search, and each mail that it finds is read."""
    limit = 500 if asked.raw("returnAll") is True else asked.number("limit", 50)
    labels = asked.raw("filters.labelIds", [])
    config = base | _without_blanks(
        {"query": _query(asked), "limit": limit, "labels": labels if isinstance(labels, list) else []}
    )
    found = asked.step("GMAIL_SEARCH", config, hint=f"search {asked.node.name}")
    return read_each(asked, base, f"{found}.items")


def read_each(asked: Asked, base: JsonObject, mails: str) -> Output:
    """A loop that reads the mails of a list."""
    read = asked.names.new(f"read {asked.node.name}", asked.node.name)
    inner = {"id": read, "name": "Read the mail", "type": "GMAIL_READ", "config": base | {"messageId": "{{ item.id }}"}}
    loop = asked.step("FOR_EACH", {"items": f"{{{{ {mails} }}}}"}, actions=[inner])
    return Output(many=f"{loop}.results", renamed=GMAIL_FIELDS, file_field="attachments")


def _get(asked: Asked, base: JsonObject) -> Output:
    path = asked.step(
        "GMAIL_READ", base | {"messageId": asked.needed(asked.text("messageId"), sentence("the mail"), "choose-a-mail")}
    )
    return Output(Data(path, renamed=GMAIL_FIELDS), any_file=f"{path}.attachments[0]")


def _labels(add: list[str], remove: list[str], *, chosen: str = "") -> Any:
    def change(asked: Asked, base: JsonObject) -> Output:
        ids = [asked.text_of(each) for each in _as_list(asked.raw("labelIds", []))] if chosen else []
        config = {
            "messageId": asked.needed(asked.text("messageId"), sentence("the mail"), "choose-a-mail"),
            "add": ids if chosen == "add" else add,
            "remove": ids if chosen == "remove" else remove,
        }
        return one(asked.step("GMAIL_LABEL", base | _without_blanks(config)))

    return change


def _as_list(raw: object) -> list[object]:
    return raw if isinstance(raw, list) else [raw]


def _reply(asked: Asked, base: JsonObject) -> Output:
    """The mail is read first: an answer goes to its sender, in its conversation."""
    asked.note(sentence("the answer stands in the conversation; it names no mail that it answers"))
    read = asked.step(
        "GMAIL_READ",
        base | {"messageId": asked.needed(asked.text("messageId"), sentence("the mail"), "choose-a-mail")},
        hint=f"read {asked.node.name}",
    )
    body = "htmlMessage" if asked.raw("includeHtml") is True else "message"
    config = {
        "to": f"{{{{ {read}.from }}}}",
        "subject": f"Re: {{{{ {read}.subject }}}}",
        "threadId": f"{{{{ {read}.threadId }}}}",
        "html" if _is_html(asked) else "text": asked.text(body),
    }
    return one(asked.step("GMAIL_SEND", base | _without_blanks(config)))


def _delete(asked: Asked, base: JsonObject) -> Output:
    url = f"https://gmail.googleapis.com/gmail/v1/users/me/messages/{asked.text('messageId')}"
    return one(f"{asked.step('HTTP_REQUEST', {'url': url, 'method': 'DELETE', **base})}.body")


def _draft(asked: Asked, base: JsonObject) -> Output:
    """A draft is a mail in its own form (RFC 5322), in Base64."""
    asked.note(sentence("the draft is plain: without attachments, and its subject in ASCII"))
    type_ = "text/html" if _is_html(asked) else "text/plain"
    to, subject = asked.bare(asked.raw("options.sendTo", "")), asked.bare(asked.raw("subject", ""))
    message = asked.bare(asked.raw("message", ""))
    kind = quote(f"\r\nContent-Type: {type_}; charset=utf-8\r\n\r\n")
    head = f"'To: ' ~ ({to}) ~ '\\r\\nSubject: ' ~ ({subject}) ~ {kind} ~ ({message})"
    raw = f"{{{{ {asked.values.fits(f'({head}) | base64url')} }}}}"
    body = {"message": {"raw": raw} | _without_blanks({"threadId": asked.text("options.threadId")})}
    call = {"url": "https://gmail.googleapis.com/gmail/v1/users/me/drafts", "method": "POST", "body": body, **base}
    return one(f"{asked.step('HTTP_REQUEST', call)}.body")


def _resource(address: str, gives: str, *, many: bool) -> Any:
    def call(asked: Asked, base: JsonObject) -> Output:
        url = f"https://gmail.googleapis.com/gmail/v1/users/me/{address}".replace("@", asked.text("threadId"))
        path = f"{asked.step('HTTP_REQUEST', {'url': url, **base})}.body{gives}"
        return Output(many=path) if many else one(path)

    return call


def _ask(asked: Asked, base: JsonObject) -> Output:
    return ask_by(
        asked,
        "GMAIL_SEND",
        base | {"to": asked.address(asked.text("sendTo")), "subject": asked.text("subject")},
        "text",
    )


def ask_by(asked: Asked, type_: str, config: JsonObject, field: str) -> Output:
    """A message with the links of a wait for an answer, then that wait."""
    if asked.raw("responseType", "approval") != "approval":
        asked.note(sentence("the answer is yes or no, with a remark: there is no form"))
    wait = asked.names.new(f"answer {asked.node.name}", asked.node.name)
    text = f"{asked.text('message')}\n\nYes: {{{{ resume.{wait}.approveUrl }}}}\nNo: {{{{ resume.{wait}.rejectUrl }}}}"
    asked.step(type_, config | {field: text})
    asked.actions.append(
        {
            "id": wait,
            "name": f"Answer: {asked.node.name}"[:255],
            "type": "WAIT",
            "config": {"for": "approval"},
            "onReject": "continue",
        }
    )
    path = f"steps.{wait}"
    return Output(Data(path, {"data": path}, renamed={"text": "comment"}))


_GMAIL: Mapping[tuple[str, str], Callable[[Asked, JsonObject], Output]] = {
    ("message", "send"): _send,
    ("message", "sendAndWait"): _ask,
    ("message", "getAll"): _get_all,
    ("message", "get"): _get,
    ("message", "reply"): _reply,
    ("message", "delete"): _delete,
    ("message", "addLabels"): _labels([], [], chosen="add"),
    ("message", "removeLabels"): _labels([], [], chosen="remove"),
    ("message", "markAsRead"): _labels([], ["UNREAD"]),
    ("message", "markAsUnread"): _labels(["UNREAD"], []),
    ("draft", "create"): _draft,
    ("label", "getAll"): _resource("labels", ".labels", many=True),
    ("thread", "get"): _resource("threads/@", "", many=False),
    ("thread", "getAll"): _resource("threads", ".threads", many=True),
}


# -- SMTP


@node("emailSend")
def email(asked: Asked) -> Result:
    if asked.raw("operation", "send") == "sendAndWait":
        base = {"to": asked.address(asked.text("toEmail")), "subject": asked.text("subject")}
        return ask_by(asked, "SEND_EMAIL", base | {"connection": asked.connection("SMTP")}, "text")
    kind = asked.raw("emailFormat", "html" if asked.raw("html") else "text")
    config = {
        "from": asked.text("fromEmail") if "@" in asked.text("fromEmail") or "{{" in asked.text("fromEmail") else "",
        "to": asked.address(asked.text("toEmail")),
        "cc": asked.text("options.ccEmail") or asked.text("ccEmail"),
        "bcc": asked.text("options.bccEmail") or asked.text("bccEmail"),
        "replyTo": asked.text("options.replyTo"),
        "subject": asked.text("subject"),
        "text": asked.text("text") if kind in ("text", "both") else "",
        "html": asked.text("html") if kind in ("html", "both") else "",
        "attachments": _files(asked, asked.raw("attachments", asked.raw("options.attachments"))),
    }
    return one(asked.step("SEND_EMAIL", {"connection": asked.connection("SMTP")} | _without_blanks(config)))


# -- Outlook


@node("microsoftOutlook")
def outlook(asked: Asked) -> Result:
    resource = asked.choice("resource", "message")
    usual = {"message": "send", "event": "getAll", "folder": "getAll", "draft": "create", "contact": "getAll"}
    operation = asked.choice("operation", usual.get(resource, ""))
    base = {"connection": asked.connection("Outlook")}
    message = f"/me/messages/{_outlook_id(asked)}"
    if (resource, operation) == ("message", "send"):
        config = {
            "to": asked.address(asked.text("toRecipients")),
            "subject": asked.needed(asked.text("subject"), sentence("the subject"), "…"),
            "content": asked.needed(asked.text("bodyContent"), sentence("the text"), "…"),
        }
        config["format"] = "HTML" if asked.raw("additionalFields.bodyContentType", "html").lower() == "html" else "Text"
        return one(asked.step("OUTLOOK_SEND", base | _without_blanks(config)))
    if (resource, operation) == ("message", "getAll"):
        found = {"limit": asked.number("limit", 50), "filter": asked.text("filtersUI.values.filters.custom")}
        return Output(many=f"{asked.step('OUTLOOK_FIND', base | _without_blanks(found))}.items")
    if (resource, operation) == ("message", "sendAndWait"):
        return ask_by(
            asked,
            "OUTLOOK_SEND",
            base | {"to": asked.address(asked.text("toRecipients")), "subject": asked.text("subject")},
            "content",
        )
    calls: dict[tuple[str, str], tuple[str, str, Any]] = {
        ("message", "get"): ("GET", message, None),
        ("message", "update"): ("PATCH", message, _outlook_changes(asked)),
        ("message", "move"): ("POST", f"{message}/move", {"destinationId": asked.text("folderId")}),
        ("message", "reply"): ("POST", f"{message}/reply", {"comment": asked.text("message")}),
        ("message", "delete"): ("DELETE", message, None),
        ("folder", "getAll"): ("GET", "/me/mailFolders", None),
        ("event", "getAll"): ("GET", "/me/events", None),
        ("event", "get"): ("GET", f"/me/events/{asked.text('eventId')}", None),
    }
    if (resource, operation) not in calls:
        return by_table("microsoftOutlook", asked)
    method, address, body = calls[resource, operation]
    config = {"url": f"https://graph.microsoft.com/v1.0{address}", "method": method, **base}
    path = f"{asked.step('HTTP_REQUEST', config | ({'body': body} if body else {}))}.body"
    return Output(many=f"{path}.value") if operation == "getAll" else one(path)


def _outlook_id(asked: Asked) -> str:
    return asked.text("messageId")


def _outlook_changes(asked: Asked) -> JsonObject:
    fields = asked.raw("updateFields", {})
    return {key: asked.values.value(value) for key, value in fields.items()} if isinstance(fields, dict) else {}
