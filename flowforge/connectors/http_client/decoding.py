"""Bodies of answers that were compressed (RFC 9110, 8.4), decompressed piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

from urllib3.response import HTTPResponse, MultiDecoder

from flowforge.connectors.http_client.response import Response

_PIECE_BYTES = 64 * 1024


def is_encoded(response: Response) -> bool:
    """Whether its body is compressed in a way that is known."""
    return bool(_codings(response))


class Decoding:
    """Decompresses the body of an answer, as `requests` does. Raises ValueError for one that cannot be."""

    def __init__(self, response: Response) -> None:
        codings = _codings(response)
        self._decoder = MultiDecoder(",".join(codings)) if codings else None

    def parts(self, piece: bytes) -> Iterator[bytes]:
        """The parts of the body that a piece of what came gives: however much that is, none of them is large."""
        if self._decoder is None:
            yield piece
            return
        part = self._decoded(piece)
        while part:
            yield part
            part = self._decoded(b"")

    def end(self) -> bytes:
        """What is left when all has come."""
        return b"" if self._decoder is None else self._flushed(self._decoder)

    def _decoded(self, piece: bytes) -> bytes:
        assert self._decoder is not None
        try:
            return self._decoder.decompress(piece, max_length=_PIECE_BYTES)
        except Exception as error:
            raise ValueError("the answer cannot be decompressed") from error

    def _flushed(self, decoder: MultiDecoder) -> bytes:
        try:
            return decoder.flush()
        except Exception as error:
            raise ValueError("the answer ends before it can be decompressed") from error


def _codings(response: Response) -> list[str]:
    """Those that were applied, in their order."""
    named = response.headers.get("content-encoding", "")
    known = HTTPResponse.CONTENT_DECODERS
    return [coding for part in named.split(",") if (coding := part.strip().lower()) in known] if named else []
