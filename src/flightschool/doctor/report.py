"""The shape of `flightschool doctor --json`: what programs may rely on. docs/doctor.schema.json is made from it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_ID = "urn:flightschool:doctor:1"


class Found(BaseModel):
    """One thing that is not as it should be."""

    model_config = ConfigDict(extra="forbid")

    check: str = Field(description="The check that found it, one of `checks`.")
    severity: Literal["problem", "warning", "note"]
    sentence: str = Field(description="What is wrong, in the reader's language.")
    command: str | None = Field(
        description="One shell line that mends it, or shows what to end; null where none on this machine can."
    )


class Report(BaseModel):
    """All that was looked at, and all that was found, worst first. The exit code is 0 when `healthy`, else 1."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1]
    healthy: bool = Field(description="No problem was found; there may be warnings and notes.")
    checks: list[str] = Field(description="The names of all checks. One without a finding is fine.")
    findings: list[Found]
    seconds: float = Field(ge=0, description="How long it took.")


def schema() -> dict[str, Any]:
    """JSON Schema of a report."""
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, "$id": SCHEMA_ID, **Report.model_json_schema()}
