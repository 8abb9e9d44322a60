"""What a notebook's process may say, and what not."""

import json

import pytest

from flightschool.engine.messages import Done, Exit, Output, ProtocolError, decode

GOOD = {"type": "output", "msg_type": "stream", "content": {"name": "stdout", "text": "hi"}}


def test_good_messages() -> None:
    assert isinstance(decode(json.dumps(GOOD).encode()), Output)
    assert decode(b'{"type": "exit", "status": -9}') == Exit(type="exit", status=-9)
    done = decode(b'{"type": "done", "execution_count": 3, "error": null}')
    assert isinstance(done, Done)


@pytest.mark.parametrize(
    "line",
    [
        b"no JSON",
        b"[]",
        b"null",
        b"{}",
        b'{"type": "exit"}',
        b'{"type": "exit", "status": "0"}',
        b'{"type": "exit", "status": 0, "more": 1}',
        b'{"type": "root"}',
        b'{"type": "output", "msg_type": "comm_open", "content": {}}',
        b'{"type": "output", "msg_type": "stream", "content": {"name": "stdlog", "text": ""}}',
        b'{"type": "output", "msg_type": "display_data", "content": {"data": [1]}}',
        b'{"type": "output", "msg_type": "display_data", "content": {"data": {"x": NaN}}}',
        b'{"type": "output", "msg_type": "display_data", "content": {"data": {"x": ' + b"[" * 100_000,
        b'{"type": "output", "msg_type": "display_data", "content": {"data": {"x": '
        + b"[" * 5000
        + b"]" * 5000
        + b"}}}",
        b'{"type": "done", "execution_count": true, "error": null}',
    ],
)
def test_all_else_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(line)


def test_text_that_no_file_can_hold_is_mended() -> None:
    message = decode(json.dumps({**GOOD, "content": {"name": "stdout", "text": "\ud800 ok"}}).encode())
    assert isinstance(message, Output)
    assert message.content["text"] == "\N{REPLACEMENT CHARACTER} ok"
    assert decode(b'{"type": "output", "msg_type": "stream", "content": {"name": "stdout", "text": "\xff"}}')
