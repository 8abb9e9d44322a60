"""What crosses the pipe between a notebook's process and us: JSON lines, checked before anything is done with them.

The process runs code that nobody has vouched for, so a line is data and never more: its length, its depth and
its fields are held to the schema below, which is a part of Jupyter's messages.
"""

import json
import re
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel, ValidationError

LONGEST = 64 * 2**20
"""Bytes of one message; a larger one ends the notebook."""
SURROGATE = re.compile("[\ud800-\udfff]")


class ProtocolError(ValueError):
    """A message that the schema forbids."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Stream(_Message):
    """Text that was printed."""

    name: Literal["stdout", "stderr"]
    text: str


class Display(_Message):
    """A mime bundle; `transient` may hold a `display_id`."""

    data: dict[str, JsonValue]
    metadata: dict[str, JsonValue] = {}
    transient: dict[str, JsonValue] = {}


class ExecuteResult(_Message):
    """The mime bundle of a cell's last expression."""

    data: dict[str, JsonValue]
    metadata: dict[str, JsonValue] = {}
    execution_count: int


class ClearOutput(_Message):
    """The cell's outputs are to go, at once or (`wait`) when the next comes."""

    wait: bool


class Error(_Message):
    """An exception, as IPython shows it."""

    ename: str
    evalue: str
    traceback: list[str]


class Output(_Message):
    """One output of the running cell, by its Jupyter message type."""

    type: Literal["output"]
    msg_type: Literal[
        "stream", "display_data", "update_display_data", "execute_result", "clear_output", "error"
    ]
    content: dict[str, JsonValue]


class Ready(_Message):
    """The process waits for its first cell; what Jupyter notes about its language."""

    type: Literal["ready"]
    language_info: dict[str, JsonValue]


class Done(_Message):
    """The cell has ended; `error` when it raised, also when it raised in a display."""

    type: Literal["done"]
    execution_count: int
    error: Error | None


class Exit(_Message):
    """The process is gone: its exit status, or the negative number of the signal that ended it.

    Behind walls also how it ended, a `sandbox.Ending`, why the walls could not be built (then nothing was executed), and
    the token that only the watcher was told, so that no notebook can say this for it.
    """

    type: Literal["exit"]
    status: int
    ending: Literal["", "exited", "timed out", "out of memory", "killed"] = ""
    refused: str = ""
    token: str = ""


class Evidence(_Message):
    """What a check of a graded run hands over: plain data for a judge, or why there is none, as the fields of a verdict."""

    type: Literal["evidence"]
    exercise: str
    content: Any = None
    verdict: dict[str, str] | None = None


class Ask(_Message):
    """The process of a graded run waits for something from outside."""

    type: Literal["ask"]
    what: Literal["drill"]


Message = Output | Ready | Done | Exit | Evidence | Ask


class _AnyMessage(RootModel[Annotated[Message, Field(discriminator="type")]]):
    """One of them, told apart by its `type`."""


_CONTENT: dict[str, type[_Message]] = {
    "stream": Stream,
    "display_data": Display,
    "update_display_data": Display,
    "execute_result": ExecuteResult,
    "clear_output": ClearOutput,
    "error": Error,
}


def decode(line: bytes) -> Message:
    """The message in a line.

    Raises:
        ProtocolError: it is none, or its content isn't what its type asks for.
    """
    try:
        found = json.loads(line.decode("utf-8", "replace"), parse_constant=_no_constant)
        if b"\\u" in line:  # only an escape can bring in half a surrogate pair, which no file could hold
            found = _encodable(found)
        message = _AnyMessage.model_validate(found, strict=True).root
        if isinstance(message, Output):
            content = _CONTENT[message.msg_type].model_validate(message.content)
            message = Output(type="output", msg_type=message.msg_type, content=content.model_dump())
    except (ValidationError, ValueError, RecursionError) as error:
        raise ProtocolError(f"{type(error).__name__} in {line[:80]!r}") from error
    return message


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_encodable(one) for one in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(one) for key, one in value.items()}
    return value
