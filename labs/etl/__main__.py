"""The command line: ``python -m etl {ingest,transform,load,run} --day 2013-02-08 …``."""

import argparse
import sys
from collections.abc import Sequence
from datetime import date

import etl
from etl.errors import EtlError, InvalidDay


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a stage. Exit code 0 when it is done, 2 when it can't be (one sentence on stderr)."""
    options = _parser().parse_args(arguments)
    try:
        day = _day(options.day)
        if options.stage == "run":
            results = etl.run(day, options.source, options.lake)
        elif options.stage == "ingest":
            results = [etl.ingest(day, options.source, options.lake)]
        elif options.stage == "transform":
            results = [etl.transform(day, options.lake)]
        else:
            results = [etl.load(day, options.lake)]
    except EtlError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; run it again, nothing is half done.", file=sys.stderr)
        return 130
    for result in results:
        print(result)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="etl", description="One day of flights: raw file to warehouse.")
    stages = parser.add_subparsers(dest="stage", required=True, metavar="{ingest,transform,load,run}")
    for stage, does in {
        "ingest": "check the delivered file and land it in the raw zone",
        "transform": "type, derive and deduplicate: raw zone to cleaned zone",
        "load": "switch the warehouse to the cleaned day",
        "run": "all three",
    }.items():
        command = stages.add_parser(stage, help=does, description=does)
        command.add_argument("--day", required=True, help="the day of the schedule, YYYY-MM-DD")
        command.add_argument("--lake", required=True, help="folder or s3://bucket/prefix of the lake")
        if stage in ("ingest", "run"):
            command.add_argument("--source", required=True, help="folder, prefix or .csv file to take in")
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidDay(f"{text!r} is not a day: write it as YYYY-MM-DD, for example 2013-02-08.") from None


if __name__ == "__main__":
    sys.exit(main())
