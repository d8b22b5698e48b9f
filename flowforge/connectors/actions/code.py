"""CODE: what expressions cannot say, in JavaScript or Python."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Literal
from uuid import UUID

from pydantic import ValidationInfo, field_validator

from flowforge import jsonio
from flowforge.connectors.sdk import (
    MOST_CODE_SECONDS,
    CodeBusy,
    CodeFailed,
    CodeLimits,
    ConnectorConfig,
    ConnectorError,
    KeptLog,
    LogLine,
    Program,
    StepContext,
    check_code,
    connector,
    field,
    run_code,
)
from flowforge.errors import Unavailable
from flowforge.jsonio import JsonObject
from flowforge.sentences import message_of

LONGEST_CODE = 100_000
_NO_EXPRESSIONS = 'holds no expressions: give the data under input, as {"rows": "{{ … }}"}, and write input.rows here'
_PREVIEWS = UUID(int=0)
"""The account under which all previews together run code."""
_PREVIEW_SECONDS = 1.0
_PREVIEW_OUTPUT = 256 * 1024


class Config(ConnectorConfig):
    language: Literal["javascript", "python"] = field(
        "javascript",
        title="Language",
        labels={"javascript": "JavaScript", "python": "Python"},
        description="Python is a subset of it, without packages of others.",
    )
    code: str = field(
        title="Code",
        description="What a function of `input` does; what it gives back with `return` is the result. `await` works,"
        " `console.log` (in Python `print`) writes to the log, and the filters of expressions are functions:"
        " `filters.slugify(input.name)`. There is no network, and there are no files and no packages.",
        multiline=True,
        language="language",
        max_length=LONGEST_CODE,
        no_expressions=_NO_EXPRESSIONS,
    )
    input: JsonObject = field(
        default_factory=dict, title="Input", description="The data for the code; its values may be expressions."
    )
    seconds: float = field(1, title="Seconds", description="Maximum run time.", gt=0, le=MOST_CODE_SECONDS)

    @field_validator("code")
    @classmethod
    def _can_be_read(cls, text: str, about: ValidationInfo) -> str:
        """Raises ValueError, with the line. Where others compute all the time, that is left for when it runs."""
        try:
            problem = _problem_of(about.data.get("language", "javascript"), text)
        except CodeBusy:
            return text
        except Unavailable as error:
            raise ValueError(message_of(error)) from error
        if problem:
            raise ValueError(problem)
        return text


@lru_cache(maxsize=64)
def _problem_of(language: str, text: str) -> str | None:
    try:
        check_code(language, text, _PREVIEWS)
    except CodeFailed as error:
        return str(error)
    return None


def _preview(config: Config) -> JsonObject:
    seconds = min(config.seconds, _PREVIEW_SECONDS)
    return _run(config, _PREVIEWS, CodeLimits(seconds, time.monotonic() + 2 * seconds, _PREVIEW_OUTPUT), KeptLog())


@connector(
    "CODE",
    Config,
    title="Code",
    help="Runs JavaScript or Python of yours over the data of earlier steps.",
    icon="code",
    keywords=("javascript", "js", "python", "script", "function", "program", "transform", "custom"),
    summary=lambda config: next(iter(str(config.get("code") or "").strip().splitlines()), ""),
    computes=_preview,
    repeatable=True,
)
def code(config: Config, context: StepContext) -> JsonObject:
    limits, log = CodeLimits(config.seconds, context.deadline, context.output_limit), KeptLog()
    try:
        return _run(config, context.user_id, limits, log)
    finally:
        context.log.add(log.lines)


def _run(config: Config, user_id: UUID, limits: CodeLimits, log: KeptLog) -> JsonObject:
    program = Program(config.language, config.code, jsonio.dumps(config.input))
    try:
        return {"result": run_code(program, limits, user_id, lambda level, text: log.add([_line(level, text)]))}
    except CodeFailed as error:
        raise ConnectorError(str(error), permanent=True) from error
    except CodeBusy as error:
        raise ConnectorError(str(error), permanent=False) from error


def _line(level: str, text: str) -> LogLine:
    return LogLine(text, "ERROR" if level == "error" else "WARN" if level == "warn" else "INFO")
