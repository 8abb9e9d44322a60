"""ETL by Spark and ELT by dbt, equal row by row; and one query on every dialect."""

import dialects
import duckdb
import elt_dbt
import pandas as pd
import pytest
from lake import Lake

from flightschool import data


@pytest.mark.slow
def test_spark_and_dbt_agree_on_every_row(daily, days, tmp_path):
    import etl
    import etl_spark

    lake = Lake(str(tmp_path / "lake"))
    for day in days:
        lake.write_day(day, data.day(day))
    spark = etl.spark_session()
    try:
        by_spark = etl_spark.from_lake(spark, lake, days).toArrow()
    finally:
        spark.stop()
    assert len(daily) > 60
    pd.testing.assert_frame_equal(
        by_spark.to_pandas(date_as_object=False), daily, check_dtype=False, check_exact=True
    )


@pytest.mark.slow
def test_dbt_counts_what_pandas_counts(daily, days):
    flights = data.day(days[1])
    storm = daily[daily.flight_date.dt.date == days[1]]
    assert storm.flights.sum() == len(flights)
    assert storm.cancelled.sum() == flights.dep_time.isna().sum()
    assert storm.on_time.sum() == (flights.arr_delay < 15).sum()


@pytest.mark.slow
def test_dbt_stops_on_a_bad_row(built, tmp_path):
    _, good = built
    assert good.passed
    assert {"daily_on_time", "one_row_per_day_origin_carrier"} <= {node.name for node in good.nodes}
    warehouse = tmp_path / "bad.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema raw")
        connection.execute(f"attach '{built[0]}' as good (read_only)")
        connection.execute(
            "create table raw.flights as select * replace ('XXX' as origin) from good.raw.flights limit 9"
        )
    bad = elt_dbt.build(warehouse, tmp_path)
    assert not bad.passed
    assert {node.name for node in bad.nodes if node.status == "fail"} == {
        "accepted_values_stg_flights_origin__EWR__JFK__LGA"
    }
    assert {node.status for node in bad.nodes if node.name == "daily_on_time"} == {"skipped"}


@pytest.mark.slow
def test_the_query_gives_the_same_rows_in_every_dialect(daily):
    results = dialects.compare(dialects.QUERY, daily)
    assert [(result.dialect, result.same) for result in results] == [
        ("snowflake", True),
        ("bigquery", True),
        ("redshift", True),
    ]
    assert len({result.sql for result in results}) == 3
    assert "COUNTIF" in results[1].sql


def test_rows_tell_a_difference():
    frame = duckdb.sql("select 1 as a, 'x' as b").df()
    assert dialects.rows(frame) != dialects.rows(frame.assign(a=2))
    assert dialects.rows(frame) == dialects.rows(frame.assign(a=1.0))
