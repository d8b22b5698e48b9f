"""Commands: on a server by SSH, and those that n8n runs on its own machine."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from flowforge.connectors.ssh.command_line import HOLE, tokens_of
from flowforge.jsonio import JsonObject
from flowforge.language.expressions.template import split_template
from flowforge.n8n.asking import Asked, Left, Result, one
from flowforge.n8n.data import Output
from flowforge.n8n.nodes import node
from flowforge.sentences import sentence

_UNREAD = re.compile(r"<<-?\s*['\"\\]")
"""A here-document in which no variable is looked for."""


@node("ssh")
def ssh(asked: Asked) -> Result:
    resource = asked.choice("resource", "command")
    if resource == "command":
        path = _run(asked, asked.connection("SSH"), asked.text("cwd"), fails=False)
        return one(path, renamed={"code": "exitCode"})
    operation = asked.choice("operation", "upload")
    if resource != "file" or operation not in ("upload", "download"):
        raise Left(
            sentence("'%(operation)s' of a %(resource)s has no counterpart", operation=operation, resource=resource)
        )
    return _upload(asked) if operation == "upload" else _download(asked)


@node("executeCommand")
def execute(asked: Asked) -> Result:
    asked.note(sentence("no command runs on FlowForge's own machine: choose a server that is reached by SSH"))
    return one(_run(asked, asked.connection("Server"), "", fails=True))


def _download(asked: Asked) -> Output:
    config = {"connection": asked.connection("SSH"), "operation": "get", "path": asked.text("path")}
    return Output(asked.given.item, any_file=f"{asked.step('FILE_TRANSFER', config)}.file")


def _upload(asked: Asked) -> Output:
    file = asked.file(str(asked.raw("binaryPropertyName", "data")))
    name = asked.text("options.fileName") or file.replace(" }}", ".name }}")
    path = f"{asked.text('path').rstrip('/')}/{name}"
    return one(
        asked.step(
            "FILE_TRANSFER", {"connection": asked.connection("SSH"), "operation": "put", "path": path, "file": file}
        )
    )


def _run(asked: Asked, connection: str, folder: str, *, fails: bool) -> str:
    written = asked.needed(asked.text("command"), sentence("the command"), "uptime")
    if "{{" in written:
        asked.note(
            sentence("a value of an expression is one word: n8n's is read by the shell as if it stood in the command")
        )
    command = _Command()
    config: JsonObject = {"connection": connection, "command": command.read(written)}
    config |= {"environment": command.environment} if command.environment else {}
    config |= {"folder": _from_home(folder)} if _from_home(folder) else {}
    return asked.step("SSH_COMMAND", config | ({} if fails else {"fails": False}))


def _from_home(folder: str) -> str:
    """A path as it is written where one begins at home."""
    return "" if folder == "~" else folder.removeprefix("~/")


@dataclass
class _Command:
    """A command in which expressions inside quotes are variables, since no value can be pasted there."""

    environment: JsonObject = field(default_factory=dict)

    def read(self, text: str) -> str:
        """Raises Left."""
        pieces: list[tuple[str, str]] = []

        def split(masked: str) -> list[str]:
            pieces.extend((token, piece) for token in tokens_of(masked) for piece in re.split(f"({HOLE})", token))
            return [piece for _, piece in pieces]

        sources = split_template(text, split)
        if "".join(piece for _, piece in pieces).strip() == HOLE:
            return f"sh -c {text.strip()}"
        return "".join(self._written(*piece, source) for piece, source in zip(pieces, sources, strict=True))

    def _written(self, token: str, piece: str, source: str) -> str:
        """A piece of a token, whose expression is `source` where it is one."""
        if piece != HOLE or token == HOLE:
            return source
        if token.startswith("\\") or _UNREAD.match(token):
            raise Left(sentence("a value is pasted where no shell looks for variables: write the command by hand"))
        name = f"VALUE_{len(self.environment) + 1}"
        self.environment[name] = source
        return f"'\"${{{name}}}\"'" if token.startswith(("'", "$'")) else f"${{{name}}}"
