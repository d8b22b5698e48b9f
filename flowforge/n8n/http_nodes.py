"""What requests over HTTP give that take the place of nodes."""

from __future__ import annotations

from flowforge.n8n.asking import Asked
from flowforge.n8n.data import Data, Output
from flowforge.sentences import sentence

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
_LISTS = sentence("where the answer is a list, n8n does what follows for each member: put a FOR_EACH around it")


def answer_of_any_kind(asked: Asked, path: str, *, kind: str, full: bool) -> Output:
    """What n8n's HTTP Request node gives, whatever the answer is."""
    body = f"{path}.body"
    if full:
        return Output(Data(path, renamed={"statusCode": "status"}), any_file=body)
    if kind == "file":
        return Output(Data("{}"), any_file=body)
    if kind == "text":
        return Output(Data(path, {"data": body}))
    asked.note(_LISTS)
    whole = Data(body, {"data": f"({body}.data | default({body}))"})
    return Output(whole, any_file=body, as_list=f"[{body}] if {body} is mapping else {body}")
