"""What the server answers by itself, before a request reaches the application."""

from __future__ import annotations

from http import HTTPStatus

from flowforge import jsonio


class Refused(Exception):
    """The request is answered with this status and message, and its connection is closed."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def refusal(status: HTTPStatus, message: str) -> bytes:
    """A whole answer, with an error as the application's look (contract.md, section 1)."""
    body = jsonio.dumps({"status": status, "statusCode": status, "error": status.phrase, "message": message})
    head = (
        f"HTTP/1.1 {status} {status.phrase}",
        "Connection: close",
        "Content-Type: application/json",
        "X-Content-Type-Options: nosniff",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*head, "", "")).encode() + body
