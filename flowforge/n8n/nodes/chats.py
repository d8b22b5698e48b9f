"""Chats: Slack and Telegram, where a table is not enough."""

from __future__ import annotations

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Result, one, only_by_request
from flowforge.n8n.data import Data, Output
from flowforge.n8n.json_templates import read_template
from flowforge.n8n.nodes import node
from flowforge.n8n.nodes.mails import ask_by
from flowforge.n8n.nodes.services import by_table
from flowforge.sentences import sentence

_FORMATS = {"HTML": "HTML", "MarkdownV2": "MarkdownV2"}


# -- Slack


@node("slack")
def slack(asked: Asked) -> Result:
    resource = asked.choice("resource", "message")
    usual = {"message": "post", "channel": "create", "file": "upload", "reaction": "add", "user": "info"}
    operation = asked.choice("operation", usual.get(resource, ""))
    base = {"connection": asked.connection("Slack")}
    if (resource, operation) in (("message", "post"), ("message", "sendAndWait")):
        return _post(asked, base, operation)
    if (resource, operation) == ("file", "upload"):
        return _share(asked, base)
    call = _SLACK.get((resource, operation))
    if call is None:
        raise only_by_request(operation, "Slack")
    method, gives, many, parameters = call
    query = {name: asked.text(path) for name, path in parameters.items()}
    query = {name: value for name, value in query.items() if value}
    path = asked.step(
        "HTTP_REQUEST", {"url": f"https://slack.com/api/{method}", "method": "POST", "form": query, **base}
    )
    whole = f"{path}.body{gives}"
    return Output(many=whole) if many else one(whole)


def _channel(asked: Asked) -> str:
    chosen = asked.raw("select", "channel")
    found = asked.text("user") if chosen == "user" else asked.text("channelId") or asked.text("channel")
    if not found:
        asked.note(sentence("the channel is to be chosen"))
    return found or "#general"


def _post(asked: Asked, base: JsonObject, operation: str) -> Output:
    if operation == "sendAndWait":
        return ask_by(asked, "SLACK_POST", base | {"channel": _channel(asked)}, "text")
    config = base | {"channel": _channel(asked)}
    blocks = asked.raw("blocksUi")
    if asked.raw("messageType") == "block" and isinstance(blocks, str) and blocks.strip():
        config["blocks"] = _blocks(asked, blocks)
    text = asked.text("text") or ("" if "blocks" in config else _attachments(asked))
    if text:
        config["text"] = text
    elif "blocks" not in config:
        config["text"] = asked.needed("", sentence("the text"), "…")
    thread = asked.raw("otherOptions.thread_ts.replyValues.thread_ts") or asked.raw("otherOptions.thread_ts")
    if isinstance(thread, str):
        config["thread"] = asked.text_of(thread)
    return one(asked.step("SLACK_POST", config))


def _blocks(asked: Asked, raw: str) -> object:
    """Blocks as the Block Kit Builder gives them: an object that holds the list."""
    read = read_template(asked.values, raw)
    return read.get("blocks", [read]) if isinstance(read, dict) else read


def _attachments(asked: Asked) -> str:
    rows = asked.rows("attachments") or asked.rows("attachments.attachments")
    asked.note(sentence("attachments of the message became its text"))
    return "\n".join(
        text for row in rows for key in ("title", "text", "fallback") if (text := asked.text_of(row.get(key)))
    )


def _share(asked: Asked, base: JsonObject) -> Output:
    name = str(asked.raw("binaryPropertyName", asked.raw("binaryPropertyNameInput", "data")))
    channel = asked.text("options.channelId") or _first_channel(asked)
    comment = asked.text("options.initialComment")
    config = base | {"file": asked.file(name), "channel": channel} | ({"text": comment} if comment else {})
    return one(asked.step("SLACK_FILE", config))


def _first_channel(asked: Asked) -> str:
    chosen = asked.raw("options.channelIds", [])
    return asked.text_of(chosen[0]) if isinstance(chosen, list) and chosen else "C0000000000"


_CHANNEL = {"channel": "channelId"}
_SLACK: dict[tuple[str, str], tuple[str, str, bool, dict[str, str]]] = {
    ("message", "update"): ("chat.update", ".message", False, {**_CHANNEL, "ts": "ts", "text": "text"}),
    ("message", "delete"): ("chat.delete", "", False, {**_CHANNEL, "ts": "timestamp"}),
    ("message", "search"): ("search.messages", ".messages.matches", True, {"query": "query"}),
    ("message", "getPermalink"): ("chat.getPermalink", "", False, {**_CHANNEL, "message_ts": "timestamp"}),
    ("channel", "history"): ("conversations.history", ".messages", True, {**_CHANNEL, "oldest": "filters.oldest"}),
    ("channel", "replies"): ("conversations.replies", ".messages", True, {**_CHANNEL, "ts": "ts"}),
    ("channel", "getAll"): ("conversations.list", ".channels", True, {}),
    ("channel", "get"): ("conversations.info", ".channel", False, _CHANNEL),
    ("channel", "create"): ("conversations.create", ".channel", False, {"name": "channelId"}),
    ("channel", "join"): ("conversations.join", ".channel", False, _CHANNEL),
    ("channel", "member"): ("conversations.members", ".members", True, _CHANNEL),
    ("reaction", "add"): ("reactions.add", "", False, {**_CHANNEL, "timestamp": "timestamp", "name": "name"}),
    ("reaction", "get"): ("reactions.get", ".message", False, {**_CHANNEL, "timestamp": "timestamp"}),
    ("user", "info"): ("users.info", ".user", False, {"user": "user"}),
    ("user", "getAll"): ("users.list", ".members", True, {}),
    ("user", "getProfile"): ("users.profile.get", ".profile", False, {"user": "user"}),
    ("file", "get"): ("files.info", ".file", False, {"file": "fileId"}),
    ("file", "getAll"): ("files.list", ".files", True, {}),
}


# -- Telegram


@node("telegram")
def telegram(asked: Asked) -> Result:
    resource = asked.choice("resource", "message")
    operation = asked.choice(
        "operation", {"file": "get", "chat": "get", "callback": "answerQuery"}.get(resource, "sendMessage")
    )
    if (resource, operation) == ("message", "sendMessage"):
        return _message(asked)
    if (resource, operation) == ("message", "sendAndWait"):
        return ask_by(
            asked,
            "TELEGRAM_MESSAGE",
            {"connection": asked.connection("Telegram"), "chatId": asked.text("chatId")},
            "text",
        )
    if (resource, operation) == ("file", "get"):
        return _fetch(asked)
    if asked.raw("binaryData") is True:
        return _file(asked, operation)
    return by_table("telegram", asked)


def _message(asked: Asked) -> Output:
    config: JsonObject = {
        "connection": asked.connection("Telegram"),
        "chatId": asked.needed(asked.text("chatId"), sentence("the chat"), "choose-a-chat"),
        "text": asked.needed(asked.text("text"), sentence("the text"), "…"),
    }
    if asked.raw("replyMarkup", "none") not in ("none", None):
        return _with_buttons(asked, config)
    format_ = str(asked.raw("additionalFields.parse_mode", "Markdown"))
    if format_ in _FORMATS:
        config["format"] = format_
    elif any(mark in config["text"] for mark in "*_`["):
        asked.note(sentence("the old Markdown of Telegram is sent as it is written"))
    reply = asked.raw("additionalFields.reply_to_message_id")
    if reply:
        config["replyTo"] = asked.values.value(reply)
    return Output(Data(f"{asked.step('TELEGRAM_MESSAGE', config)}.result"))


def _with_buttons(asked: Asked, config: JsonObject) -> Output:
    """Through the API itself: buttons below the message."""
    rows = [[_button(asked, button) for button in asked_rows(row)] for row in asked.rows("inlineKeyboard.rows")]
    markup = {"inline_keyboard": rows} if asked.raw("replyMarkup") == "inlineKeyboard" else {"keyboard": _keys(asked)}
    body = {"chat_id": config["chatId"], "text": config["text"], "reply_markup": markup}
    call = {"url": "https://api.telegram.org/sendMessage", "method": "POST", "body": body}
    path = asked.step("HTTP_REQUEST", call | {"connection": config["connection"]})
    return one(f"{path}.body.result")


def asked_rows(row: JsonObject) -> list[JsonObject]:
    buttons = row.get("row", {})
    found = buttons.get("buttons") if isinstance(buttons, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _button(asked: Asked, button: JsonObject) -> JsonObject:
    more = button.get("additionalFields", {})
    fields = {key: asked.text_of(value) for key, value in more.items()} if isinstance(more, dict) else {}
    return {"text": asked.text_of(button.get("text", "")), **fields}


def _keys(asked: Asked) -> list[list[JsonObject]]:
    return [
        [{"text": asked.text_of(each.get("text", ""))} for each in asked_rows(row)]
        for row in asked.rows("replyKeyboard.rows")
    ]


def _file(asked: Asked, operation: str) -> Output:
    kind = operation.removeprefix("send").lower()
    config = {
        "connection": asked.connection("Telegram"),
        "chatId": asked.needed(asked.text("chatId"), sentence("the chat"), "choose-a-chat"),
        "file": asked.file(str(asked.raw("binaryPropertyName", "data"))),
        "kind": kind if kind in ("document", "photo", "audio", "video") else "document",
    }
    caption = asked.text("additionalFields.caption")
    return Output(Data(f"{asked.step('TELEGRAM_FILE', config | ({'caption': caption} if caption else {}))}.result"))


def _fetch(asked: Asked) -> Output:
    base = {"connection": asked.connection("Telegram")}
    config = {"url": "https://api.telegram.org/getFile", "query": {"file_id": asked.text("fileId")}, **base}
    path = asked.step("HTTP_REQUEST", config, hint=f"find {asked.node.name}")
    if asked.raw("download") is False:
        return one(f"{path}.body")
    asked.note(
        sentence(
            "the file is fetched by its path: the token stands in that address, so give it to the step's connection"
        )
    )
    address = f"https://api.telegram.org/file/{{{{ {path}.body.result.file_path }}}}"
    file = asked.step("HTTP_REQUEST", {"url": address, "response": "file", **base})
    return Output(Data(f"{path}.body"), any_file=f"{file}.body")
