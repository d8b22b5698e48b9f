"""Data of log lines as PostgreSQL keeps them: JSON, deflated with a dictionary of what lines consist of.

Most of a line are names that all lines share, but a single one is too short to be compressed by itself: PostgreSQL
tries only with rows of more than 2 KB. With a dictionary a line takes a fifth of its text.

Packed data are the number of the dictionary (a byte), the length of the text (two bytes, the high one first), and the
text deflated (RFC 1951).
"""

from __future__ import annotations

import zlib

from flowforge import jsonio
from flowforge.jsonio import JsonObject

LONGEST_TEXT = 2_000
"""Bytes of JSON. What is longer, PostgreSQL compresses by itself."""

_WINDOW = -12
"""Two to the power of 12 bytes hold the dictionary and the longest text; negative: without a header (zlib's manual)."""
_MEMORY_LEVEL = 5
_LEVEL = 6
_HEAD = 3

_DICTIONARIES = {
    1: b'"truncated":true,"bytes":"byReference":true,"size":"retryAfter":"permanent":false,"errorMessage":"'
    b'"accessToken":"********","Authorization":"Bearer ********","application/x-www-form-urlencoded","text/html; '
    b'charset=utf-8","subject":"","from":"","to":[""],"receivedDate":"","contentType":"text","attachments":[]},'
    b'"x-forwarded-for":"","x-forwarded-proto":"https","x-request-id":"","cache-control":"no-cache","server":"nginx",'
    b'"date":"Mon, 01 Jan 2026 00:00:00 GMT","etag":"\\"","vary":"Accept-Encoding","transfer-encoding":"chunked",'
    b'"channel":"#","message":"","text":"","name":"","email":"","id":"","created_at":"","updated_at":"","url":"https://'
    b'api.example.com/v1/","description":"","amount":,"currency":"","data":{"object":{"items":[{"value":null,"error":'
    b'{"error":{"step":"","stepIndex":0,"message":"","attempt":1},"status":"FAILED","triggerType":"schedule"'
    b'"metadata":{"source":"webhook","receivedAt":"2026-01-01T00:00:00.000Z","remoteAddress":"127.0.0.1","method":'
    b'"POST"},"timestamp":"2026-01-01T00:00:00.000Z","triggerId":"01a00000-0000-7000-8000-000000000000",'
    b'"triggerType":"webhook","payload":{"body":{"order":},"headers":{"host":"localhost","user-agent":"Mozilla/5.0",'
    b'"accept":"*/*","accept-encoding":"gzip, deflate, br","connection":"keep-alive","content-type":"application/json",'
    b'"content-length":"100"},"queryParams":{},"method":"POST","remoteAddress":"127.0.0.1"}}'
    b'{"status":"STARTED","timestamp":"2026-01-01T00:00:00.000Z","eventId":"{"status":"COMPLETED","timestamp":"'
    b'{"stepIndex":0,"actionType":"HTTP_REQUEST","actionConfig":{"method":"POST","url":"http://127.0.0.1:","headers":'
    b'{},"body":{"":"{{ trigger.body. }}","{{ steps.step_"}},"triggerPayload":{},"context":{},"iteration":0,"attempt":'
    b'1,"timestamp":"2026-01-01T00:00:00.000Z"}'
    b'{"stepIndex":0,"status":"SUCCESS","output":{"status":200,"headers":{"content-type":"application/json",'
    b'"content-length":"100"},"body":{"ok":true}},"iteration":0,"attempt":1,"startedAt":"2026-01-01T00:00:00.000Z",'
    b'"timestamp":"2026-01-01T00:00:00.000Z"}',
}
"""By number, what comes most often last. None is ever changed, since stored lines need it; a better one is added."""

_NEWEST = max(_DICTIONARIES)

_DEFLATER = zlib.compressobj(
    _LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, _DICTIONARIES[_NEWEST]
)
"""Has read the dictionary, which takes as long as deflating a line: every line begins with a copy of it."""


def pack(data: JsonObject) -> bytes | None:
    """Returns the data packed, None where they are longer than LONGEST_TEXT. Raises TypeError for what is not JSON."""
    text = jsonio.dumps_for_database(data).encode()
    if len(text) > LONGEST_TEXT:
        return None
    deflater = _DEFLATER.copy()
    return bytes([_NEWEST]) + len(text).to_bytes(2) + deflater.compress(text) + deflater.flush()


def unpack(packed: bytes) -> JsonObject:
    """Returns the data that were packed, by this release or an earlier one."""
    inflater = zlib.decompressobj(_WINDOW, _DICTIONARIES[packed[0]])
    data: JsonObject = jsonio.loads(inflater.decompress(packed[_HEAD:], int.from_bytes(packed[1:_HEAD])))
    return data
