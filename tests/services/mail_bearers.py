"""Mail servers that let people in by access tokens, as those of Google and Microsoft do: pymap and aiosmtpd, with SASL
XOAUTH2 and OAUTHBEARER in front of them."""

from __future__ import annotations

import json
import re
import socket
import socketserver
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

from tests.services.imap import PASSWORD, USER, MailServer
from tests.services.serving import serving
from tests.services.smtp import Inbox

Accepts = Callable[[str, str], bool]
"""Whether a user comes in with a token."""
REASON = {"status": "401", "schemes": "bearer", "scope": "https://mail.google.com/"}
"""https://developers.google.com/workspace/gmail/imap/xoauth2-protocol, "Error response"."""
_XOAUTH2 = re.compile(rb"user=(.+)\x01auth=Bearer (.+)\x01\x01")
_OAUTHBEARER = re.compile(rb"n,a=(.+),\x01host=.+\x01port=\d+\x01auth=Bearer (.+)\x01\x01")
MECHANISMS = {"XOAUTH2": (_XOAUTH2, b""), "OAUTHBEARER": (_OAUTHBEARER, b"\x01")}
"""What a client sends, and what it answers to the reason of a refusal."""


@dataclass
class BearerFront:
    """In front of a mailbox: `user` comes in with the tokens that `accepts` names, and nobody by a password."""

    mailbox: MailServer
    accepts: Accepts
    mechanism: str = "XOAUTH2"
    port: int = 0
    tried: list[str] = field(default_factory=list)
    """The tokens of all tries."""
    misunderstood: list[bytes] = field(default_factory=list)
    """What clients sent that does not follow the mechanism."""
    cuts: threading.Event = field(default_factory=threading.Event)
    """Whether it ends a connection at the next command after the sign-in, as servers do once a token has ended."""

    def config(self, folder: str, connection: str, **more: object) -> dict[str, object]:
        """Of an email trigger on it."""
        server = {"host": "127.0.0.1", "port": self.port, "secure": False}
        return {**server, "folder": folder, "connection": connection, **more}


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        front: BearerFront = self.server.front  # type: ignore[attr-defined]
        self.front = front
        self.wfile.write(b"* OK IMAP4rev1 ready\r\n")
        with suppress(OSError):
            while line := self.rfile.readline():
                if not self._take(*line.decode().split(maxsplit=1)):
                    return

    def _take(self, tag: str, command: str) -> bool:
        """Whether the client is still at the door."""
        match command.upper().split():
            case ["CAPABILITY"]:
                self._say(f"* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH={self.front.mechanism}", f"{tag} OK done")
            case ["AUTHENTICATE", mechanism] if mechanism == self.front.mechanism:
                if self._lets_in():
                    self._hand_over(tag)
                    return False
                self._say(f"{tag} NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)")
            case ["LOGOUT"]:
                self._say("* BYE", f"{tag} OK")
                return False
            case _:
                self._say(f"{tag} BAD not now")
        return True

    def _lets_in(self) -> bool:
        pattern, answer_to_reason = MECHANISMS[self.front.mechanism]
        self._say("+ ")
        found = pattern.fullmatch(b64decode(self.rfile.readline()))
        user, token = (part.decode() for part in found.groups()) if found else ("", "")
        self.front.tried.append(token)
        if self.front.accepts(user, token):
            return True
        self._say("+ " + b64encode(json.dumps(REASON).encode()).decode())
        answer = b64decode(self.rfile.readline())
        if not found or answer != answer_to_reason:
            self.front.misunderstood.append(answer)
        return False

    def _hand_over(self, tag: str) -> None:
        """What follows is between the client and the mailbox."""
        with socket.create_connection((self.front.mailbox.host, self.front.mailbox.port)) as mailbox:
            answers = mailbox.makefile("rb")
            answers.readline()
            mailbox.sendall(f'X1 LOGIN {USER} "{PASSWORD}"\r\n'.encode())
            while not answers.readline().startswith(b"X1 "):
                pass
            threading.Thread(target=self._hand_on, args=(answers,), daemon=True).start()
            self._say(f"{tag} OK welcome")
            while line := self.rfile.readline():
                if self.front.cuts.is_set():
                    self._say("* BYE Session expired, please login again.")
                    return
                mailbox.sendall(line)

    def _hand_on(self, answers: Any) -> None:
        with suppress(OSError, ValueError):
            while line := answers.readline():
                self.wfile.write(line)

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def serving_front(mailbox: MailServer, accepts: Accepts, mechanism: str = "XOAUTH2") -> Iterator[BearerFront]:
    front = BearerFront(mailbox, accepts, mechanism)
    server = _Server(("127.0.0.1", 0), _Session)
    server.front = front  # type: ignore[attr-defined]
    front.port = server.server_address[1]
    with serving(server):
        yield front


class BearerInbox(Inbox):
    """An inbox whose server takes mails of those alone who come with a token."""

    def __init__(self, accepts: Accepts) -> None:
        super().__init__()
        self.accepts = accepts
        self.tried: list[str] = []
        self.misunderstood: list[bytes] = []

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        found = _XOAUTH2.fullmatch(b64decode(args[1]))
        user, token = (part.decode() for part in found.groups()) if found else ("", "")
        self.tried.append(token)
        if self.accepts(user, token):
            return AuthResult(success=True, auth_data=user)
        answer = await server.challenge_auth(json.dumps(REASON))
        if not found or answer != b"":
            self.misunderstood.append(bytes(answer))
        return AuthResult(success=False, handled=False)
