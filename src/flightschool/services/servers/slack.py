"""A receiver of Slack's incoming webhooks: it takes what Slack takes, refuses what Slack refuses, and shows it."""

import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from flightschool.i18n import _
from flightschool.services.servers.receiver import Answer, Receiver

SHOWN = 50
"""Messages in the picture; `messages()` gives all."""
COLOUR = re.compile("#[0-9A-Fa-f]{6}")
MOST_BLOCKS, MOST_ATTACHMENTS = 50, 100
"""Of one message: https://docs.slack.dev/reference/block-kit/blocks, and Slack's limit of attachments."""


class Slack(Receiver):
    """Where an alert manager or a pipeline posts to, in place of a channel of Slack's. In memory.

    It answers as Slack does: 200 `ok`; 400 `invalid_payload`, `no_text`, `invalid_blocks`; 403 `invalid_token` and 404
    `no_team` at a wrong address. What Slack checks beyond form (channels, users, rates) it does not.
    Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    """

    name = "slack"

    def __init__(self) -> None:
        super().__init__()
        team, channel = secrets.token_hex(4).upper(), secrets.token_hex(4).upper()
        self.token = f"T{team}/B{channel}/{secrets.token_urlsafe(18)}"

    @property
    def label(self) -> str:
        return _("Receiver of Slack's incoming webhooks")

    @property
    def url(self) -> str:
        """The webhook's address. It can't be guessed; whoever knows it may post, as with Slack's."""
        return f"{self.endpoint}/services/{self.token}"

    def messages(self) -> list["Message"]:
        """All messages that came, the oldest first."""
        return [Message(one["content"], one["at"]) for one in self.received()]

    def _repr_html_(self) -> str:
        """The newest messages, as a channel shows them; nothing in them is taken for HTML."""
        if not self.running:
            return escape(repr(self))
        messages = self.messages()
        head = escape(_("{label}, messages: {n}").format(label=self.label, n=len(messages)))
        return f"<div><b>{head}</b>{''.join(map(_picture, messages[-SHOWN:]))}</div>"


class Message(dict[str, Any]):
    """A payload as it was posted; `at` is when it came, `text` all that a person would read in it."""

    def __init__(self, payload: Mapping[str, Any], at: float) -> None:
        super().__init__(payload)
        self.at = datetime.fromtimestamp(at).astimezone()

    @property
    def text(self) -> str:
        """Its text, and that of its blocks and attachments, a line each."""
        return "\n".join(_words(self))


def _words(payload: Mapping[str, Any]) -> list[str]:
    """What a person would read, from top to bottom."""
    own = payload.get("text")
    found = [own] if isinstance(own, str) and own else []
    for block in _dicts(payload.get("blocks")):
        found += _block_words(block)
    for attachment in _dicts(payload.get("attachments")):
        found += [
            str(attachment[key])
            for key in ("pretext", "author_name", "title", "text")
            if isinstance(attachment.get(key), str) and attachment[key]
        ]
        found += [
            f"{one.get('title', '')}: {one.get('value', '')}" for one in _dicts(attachment.get("fields"))
        ]
        for block in _dicts(attachment.get("blocks")):
            found += _block_words(block)
        if isinstance(attachment.get("footer"), str):
            found.append(attachment["footer"])
    return found


def _block_words(block: Mapping[str, Any]) -> list[str]:
    """The texts in a block of Block Kit, however deep they lie."""
    found: list[str] = []
    for key in ("text", "fields", "elements", "title"):
        value = block.get(key)
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, Mapping):
            found += _block_words(value)
        elif isinstance(value, Sequence):
            for one in _dicts(value):
                found += _block_words(one)
    return found


def _dicts(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _picture(message: Message) -> str:
    colours = [str(one.get("color", "")) for one in _dicts(message.get("attachments"))]
    named = {"good": "#2eb886", "warning": "#daa038", "danger": "#a30200"}
    colour = next((named.get(one, one) for one in colours if one in named or COLOUR.fullmatch(one)), "#ddd")
    sender = message.get("username") or "webhook"
    return (
        f'<div style="margin:.4em 0;padding-left:.6em;border-left:4px solid {colour}">'
        f"<b>{escape(str(sender))}</b> <small>{message.at:%H:%M:%S}</small>"
        f'<div style="white-space:pre-wrap">{escape(message.text)}</div></div>'
    )


def answer(path: str, token: str, content_type: str, body: bytes) -> Answer:
    """Slack's answer to a post."""
    if not path.startswith("/services/"):
        return Answer(404, "no_team")
    if not hmac.compare_digest(path.removeprefix("/services/").encode(), token.encode()):
        return Answer(403, "invalid_token")
    text = body.decode("utf-8", errors="replace")
    if content_type.startswith("application/x-www-form-urlencoded"):
        from urllib.parse import parse_qs

        text = parse_qs(text).get("payload", [""])[0]
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        payload = None
    problem = _problem(payload) if isinstance(payload, dict) else "invalid_payload"
    return Answer(400, problem) if problem else Answer(200, "ok", payload)


def _problem(payload: Mapping[str, Any]) -> str:
    """Slack's word for what is wrong with it; empty when nothing is."""
    text, blocks, attachments = (payload.get(key) for key in ("text", "blocks", "attachments"))
    if text is not None and not isinstance(text, str):
        return "invalid_payload"
    if blocks is not None and not (
        isinstance(blocks, list) and len(blocks) <= MOST_BLOCKS and all(map(_is_block, blocks))
    ):
        return "invalid_blocks"
    if attachments is not None:
        if not (isinstance(attachments, list) and all(isinstance(one, dict) for one in attachments)):
            return "invalid_attachments"
        if len(attachments) > MOST_ATTACHMENTS:
            return "too_many_attachments"
    return "" if text or blocks or attachments else "no_text"


def _is_block(block: object) -> bool:
    return isinstance(block, dict) and isinstance(block.get("type"), str) and bool(block["type"])
