"""SSH_COMMAND: a command on another server."""

from __future__ import annotations

from mimetypes import guess_type
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Literal

from flowforge.connectors.connection_kinds.sftp import SFTP
from flowforge.connectors.sdk import (
    MOST_COMMAND_BYTES,
    CommandLine,
    ConnectorConfig,
    ConnectorError,
    Ended,
    Environment,
    Source,
    StepContext,
    connector,
    field,
    first_of,
    remote_files,
    script,
)
from flowforge.file_values import ANY_TYPE
from flowforge.jsonio import JsonObject

_MOST_TEXT_BYTES = 512 * 1024
_LONGEST_ERROR = 500


class Config(ConnectorConfig):
    command: CommandLine = field(
        title="Command",
        multiline=True,
        description="For a POSIX shell. The value of an expression is one word, whatever is in it, and a list several:"
        " rm -- {{ trigger.body.name }}",
    )
    environment: Environment = field(
        default_factory=dict, title="Variables", description='For the command: "$NAME".', max_length=100
    )
    folder: str = field("", title="Folder", description="Where it runs. Empty: the user's own.", max_length=1024)
    input: Source | None = field(None, title="Input", description="A text or a file, which the command reads.")
    output: Literal["text", "file"] = field("text", title="Output as", labels={"text": "Text", "file": "File"})
    name: str = field("output.txt", title="File name", description="Of the output.", max_length=200)
    fails: bool = field(
        True,
        title="Fail with the command",
        description="With an exit code other than 0. Otherwise the steps that follow look at exitCode.",
    )


@connector(
    "SSH_COMMAND",
    Config,
    title="SSH command",
    help="Runs a command on a server that is reached by SSH.",
    icon="code",
    keywords=("ssh", "shell", "bash", "command", "server", "script", "remote", "deploy"),
    summary=first_of("command"),
    connections=(SFTP,),
)
def ssh_command(config: Config, context: StepContext) -> JsonObject:
    written = _script(config)
    given = None if config.input is None else context.files.content(config.input)
    with SpooledTemporaryFile(max_size=_MOST_TEXT_BYTES) as output:
        with context.open_connection() as session:
            ended = session.run(written, given, _bounded(output, config, context))
        if config.fails and ended.exit_code != 0:
            raise ConnectorError(_why(ended), permanent=True, answered=True)
        return {"exitCode": ended.exit_code, **_read(output, config, context), "stderr": ended.errors}


def _script(config: Config) -> str:
    try:
        written = script(config.command, config.environment, config.folder)
    except ValueError as error:
        raise ConnectorError(f"command: {error}", permanent=True) from error
    if len(written.encode()) > MOST_COMMAND_BYTES:
        raise ConnectorError(
            f"command: has, with all values, more than {MOST_COMMAND_BYTES} bytes: give data as its input",
            permanent=True,
        )
    return written


def _bounded(output: IO[bytes], config: Config, context: StepContext) -> remote_files.Bounded:
    if config.output == "file":
        return remote_files.Bounded(output, context.files.most_bytes, "the output")
    return remote_files.Bounded(output, _MOST_TEXT_BYTES, "the output, unless it is asked for as a file,")


def _read(output: Any, config: Config, context: StepContext) -> JsonObject:
    """Its text ends as that of $(…) does: without line breaks."""
    if config.output == "file":
        type_ = guess_type(config.name)[0] or ANY_TYPE
        return {"file": context.files.keep(output, config.name, type_).as_json()}
    output.seek(0)
    return {"stdout": output.read().decode("utf-8", "replace").rstrip("\n")}


def _why(ended: Ended) -> str:
    how = "was ended by a signal" if ended.exit_code is None else f"ended with the exit code {ended.exit_code}"
    said = " ".join(ended.errors.split())[-_LONGEST_ERROR:]
    return f"the command {how}: {said}" if said else f"the command {how}"
