"""The quality gate: Great Expectations decides whether a day of flights may go on."""

import logging
import os
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from flightschool.errors import FlightSchoolError

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuite

KEY = ["time_hour", "carrier", "flight"]
EXAMPLES = 5


class QualityGateClosedError(FlightSchoolError):
    """The day broke an expectation and must not go on."""


@dataclass(frozen=True)
class Failure:
    """An expectation that was not met: what was found, how many rows broke it, and a few of them."""

    expectation: str
    column: str
    found: str
    unexpected: int
    examples: pd.DataFrame


@dataclass(frozen=True)
class GateResult:
    """The gate's verdict on one day."""

    day: date
    checked: int
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        """Whether every expectation was met."""
        return not self.failures

    def require(self) -> None:
        """Nothing when the gate is open. Raises QualityGateClosedError, naming what failed."""
        if not self.passed:
            reasons = "; ".join(
                f"{failure.expectation} {failure.column} ({failure.found})" for failure in self.failures
            )
            raise QualityGateClosedError(f"{self.day} was stopped at the quality gate: {reasons}.")


def suite(day: date) -> "ExpectationSuite":
    """What we expect of a day of raw flights, as the report's readers need it."""
    from great_expectations import ExpectationSuite
    from great_expectations import expectations as gxe

    return ExpectationSuite(
        name="raw_flights",
        expectations=[
            gxe.ExpectTableRowCountToBeBetween(min_value=500, max_value=1200),
            gxe.ExpectCompoundColumnsToBeUnique(column_list=KEY),
            *(gxe.ExpectColumnValuesToNotBeNull(column=column) for column in [*KEY, "origin", "dest"]),
            gxe.ExpectColumnValuesToBeInSet(column="month", value_set=[day.month]),
            gxe.ExpectColumnValuesToBeInSet(column="day", value_set=[day.day]),
            gxe.ExpectColumnValuesToBeInSet(column="origin", value_set=["EWR", "JFK", "LGA"]),
            gxe.ExpectColumnValuesToBeBetween(column="dep_delay", min_value=-60, max_value=1440),
            gxe.ExpectColumnValuesToBeBetween(column="arr_delay", min_value=-120, max_value=1440),
            # Minutes sent as hours pass any bound on single rows; the day's median does not.
            gxe.ExpectColumnMedianToBeBetween(column="air_time", min_value=60, max_value=240),
        ],
    )


def gate(flights: pd.DataFrame, day: date) -> GateResult:
    """Check a day of raw flights, in an ephemeral context that leaves no files.

    Args:
        flights: the raw columns; read only.

    Returns the verdict. An expectation that can't be checked (a column is missing) counts as not met.
    """
    context = quiet_context()
    batch = context.data_sources.pandas_default.read_dataframe(flights.reset_index(drop=True))
    outcome = batch.validate(suite(day), result_format={"result_format": "COMPLETE"})
    failures = tuple(failure(result, flights) for result in outcome.results if not result.success)
    return GateResult(day, len(outcome.results), failures)


def quiet_context() -> Any:
    """An ephemeral context that neither draws progress bars nor calls home. The first import takes seconds."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def failure(result: Any, flights: pd.DataFrame) -> Failure:
    """A validation result that was not successful, with the first rows that broke it."""
    config, detail = result.expectation_config, result.result
    columns = config.kwargs.get("column_list") or [config.kwargs.get("column", "")]
    rows = detail.get("unexpected_index_list") or []
    if problems := exceptions(result.exception_info):
        found = problems
    elif rows:
        found = f"{len(rows)} of {len(flights)} rows"
    else:
        found = f"observed {detail.get('observed_value')}"
    return Failure(
        expectation=config.type.removeprefix("expect_"),
        column=", ".join(columns),
        found=found,
        unexpected=len(rows),
        examples=flights.iloc[rows[:EXAMPLES]],
    )


def exceptions(info: dict[str, Any]) -> str:
    """What kept an expectation from being checked; empty when nothing did."""
    reports = [info, *(value for value in info.values() if isinstance(value, dict))]
    messages = {report["exception_message"] for report in reports if report.get("raised_exception")}
    return "; ".join(sorted(messages))
