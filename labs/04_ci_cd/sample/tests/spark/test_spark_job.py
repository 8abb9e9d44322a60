"""The Spark job gives the report that the plain one gives."""

import pytest

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1")
        .getOrCreate()
    )
    yield session
    session.stop()


def test_one_row_an_airport(spark):
    from chispa import assert_df_equality

    from ontime.spark_job import report

    flights = spark.createDataFrame(
        [("JFK", 600, -3), ("JFK", 700, 40), ("JFK", None, None), ("EWR", 800, None)],
        "origin string, dep_time int, arr_delay int",
    )
    expected = spark.createDataFrame(
        [("EWR", 1, 0, 0), ("JFK", 3, 1, 1)],
        "origin string, scheduled long, cancelled long, on_time long",
    )
    assert_df_equality(report(flights), expected, ignore_nullable=True)
