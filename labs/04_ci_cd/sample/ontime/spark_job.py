"""The report as a Spark job: `spark-submit ontime/spark_job.py data/flights.csv out/`."""

import json
import sys
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

ON_TIME_MINUTES = 15
SCHEMA = """
    flight_date date, carrier string, flight int, origin string, dest string,
    sched_dep_time int, dep_time int, dep_delay int, arr_delay int
"""


def report(flights: DataFrame) -> DataFrame:
    """One row an airport: origin, scheduled, cancelled, on_time."""
    on_time = sf.coalesce(sf.col("arr_delay") < ON_TIME_MINUTES, sf.lit(False))
    return (
        flights.groupBy("origin")
        .agg(
            sf.count("*").alias("scheduled"),
            sf.count_if(sf.col("dep_time").isNull()).alias("cancelled"),
            sf.count_if(on_time).alias("on_time"),
        )
        .orderBy("origin")
    )


def main(source: str, target: str) -> None:
    """Read a flights file, and write its report as JSON lines."""
    spark = SparkSession.builder.appName("ontime").getOrCreate()
    flights = spark.read.csv(source, header=True, schema=SCHEMA)
    lines = [json.dumps(row.asDict()) for row in report(flights).collect()]
    Path(target).mkdir(parents=True, exist_ok=True)
    Path(target, "report.jsonl").write_text("".join(f"{line}\n" for line in lines))
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:3])
