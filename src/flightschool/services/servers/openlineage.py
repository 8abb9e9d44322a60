"""A receiver of OpenLineage events: what jobs tell about their runs and the data that they read and wrote."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from flightschool.i18n import _
from flightschool.services.servers.receiver import Answer, Receiver

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

PATH = "/api/v1/lineage"
STATES = ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]


class OpenLineage(Receiver):
    """Where OpenLineage clients send to, in place of a lineage store such as Marquez. In memory.

    An event that lacks what the specification (2-0-2) requires is refused with 400 and the reasons; facets must say who
    produced them by which schema, but are not held against that schema.
    Source: https://openlineage.io/spec/2-0-2/OpenLineage.json
    """

    name = "openlineage"

    @property
    def label(self) -> str:
        return _("Receiver of OpenLineage events")

    @property
    def url(self) -> str:
        """The transport's `url`; clients append its path, `api/v1/lineage`."""
        return self.endpoint

    def env(self) -> dict[str, str]:
        """Variables that point OpenLineage's clients here."""
        return {"OPENLINEAGE_URL": self.url}

    def events(self) -> list[dict[str, Any]]:
        """All events that came, the oldest first."""
        return [one["content"] for one in self.received()]


def answer(path: str, token: str, content_type: str, body: bytes) -> Answer:
    """The answer to a post: 201 as Marquez', or 400 with what is wrong."""
    if path != PATH:
        return Answer(404, json.dumps({"message": f"events go to {PATH}"}))
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        return Answer(400, json.dumps({"message": f"not JSON: {error}"}))
    found = problems(event)
    return Answer(400, json.dumps({"message": "; ".join(found)})) if found else Answer(201, "", event)


def prepare() -> None:
    """Import and make what the first event would wait for."""
    for kind in ("run", "dataset", "job"):
        _validator(kind)


def problems(event: object) -> list[str]:
    """What the event lacks of what the specification requires, a sentence each."""
    if not isinstance(event, Mapping):
        return ["an event is a JSON object"]
    kind = "run" if "run" in event else "dataset" if "dataset" in event else "job"
    found = [
        f"{'.'.join(map(str, error.absolute_path)) or kind + ' event'}: {error.message}"
        for error in _validator(kind).iter_errors(event)
    ]
    return found[:10]


@cache
def _validator(kind: str) -> "Draft202012Validator":
    """What is required of an event of a run, a dataset or a job, as JSON Schema."""
    from jsonschema import Draft202012Validator, FormatChecker

    def thing(**properties: Any) -> dict[str, Any]:
        return {"type": "object", "properties": properties, "required": list(properties)}

    def with_facets(schema: dict[str, Any]) -> dict[str, Any]:
        facet = thing(_producer=address, _schemaURL=address)
        facets = {"type": "object", "additionalProperties": facet}
        optional = dict.fromkeys(("facets", "inputFacets", "outputFacets"), facets)
        return {**schema, "properties": {**schema["properties"], **optional}}

    text = {"type": "string", "minLength": 1}
    address = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*:"}
    named = with_facets(thing(namespace=text, name=text))
    run = with_facets(thing(runId={"type": "string", "format": "uuid"}))
    base = {"eventTime": {"type": "string", "format": "moment"}, "producer": address, "schemaURL": address}
    own = {"run": {"run": run, "job": named}, "dataset": {"dataset": named}, "job": {"job": named}}[kind]
    schema = thing(**base, **own)
    many = {"type": "array", "items": named}
    schema["properties"] |= {"inputs": many, "outputs": many, "eventType": {"enum": STATES}}
    checker = FormatChecker(formats=["uuid"])
    checker.checks("moment", ValueError)(_is_moment)
    return Draft202012Validator(schema, format_checker=checker)


def _is_moment(text: object) -> bool:
    """Whether it is a time with its zone, as RFC 3339 wants it. ValueError: it is not."""
    return not isinstance(text, str) or (
        "T" in text.upper() and datetime.fromisoformat(text).tzinfo is not None
    )
