"""One query on four warehouses: DuckDB runs it, sqlglot writes it for Snowflake, BigQuery and Redshift.

The Snowflake text is executed by fakesnow, a stand-in that answers Snowflake's own Python client from a DuckDB in this
process: it proves syntax and result, not Snowflake's speed or price. BigQuery and Redshift have no such stand-in here:
their text is parsed back by the rules of their dialect and must then give the same rows.
"""

import warnings
from dataclasses import dataclass

import duckdb
import pandas as pd
import sqlglot

QUERY = """
select
    date_trunc('month', flight_date::date) as month,
    origin,
    carrier,
    sum(flights)::bigint as flights,
    count_if(cancelled > 0)::bigint as days_with_cancellations,
    round(100.0 * sum(on_time) / sum(flights), 1)::double as on_time_percent
from daily_on_time
group by month, origin, carrier
qualify row_number() over (partition by month, origin order by on_time_percent desc, carrier) <= 3
order by month, origin, on_time_percent desc, carrier
"""
"""The three most punctual carriers of each airport and month; DuckDB's dialect."""

DIALECTS = ("snowflake", "bigquery", "redshift")


@dataclass(frozen=True)
class DialectResult:
    """A dialect's text of the query, how it was proved, and whether it gave DuckDB's rows."""

    dialect: str
    sql: str
    proof: str
    same: bool


def transpile(sql: str, dialect: str) -> str:
    """DuckDB's SQL as another dialect writes it. Raises sqlglot.errors.SqlglotError where it has no way to say it."""
    return sqlglot.transpile(
        sql, read="duckdb", write=dialect, pretty=True, unsupported_level=sqlglot.ErrorLevel.RAISE
    )[0]


def read_back(sql: str, dialect: str) -> str:
    """That dialect's text, as DuckDB's."""
    return sqlglot.transpile(sql, read=dialect, write="duckdb", pretty=True)[0]


def on_duckdb(sql: str, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a query over `daily_on_time`."""
    with duckdb.connect() as connection:
        connection.register("daily_on_time", table)
        return connection.execute(sql).df()


def on_snowflake(sql: str, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of Snowflake's text of a query, by Snowflake's client and fakesnow."""
    import fakesnow
    import snowflake.connector
    from snowflake.connector import pandas_tools

    with (
        warnings.catch_warnings(),
        fakesnow.patch(),
        snowflake.connector.connect(database="FLIGHTS", schema="MARTS") as connection,
        connection.cursor() as cursor,
    ):
        # fakesnow asks DuckDB for Arrow in a way that DuckDB 2 calls slow.
        warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)
        cursor.execute(
            "create table daily_on_time (flight_date date, origin text, carrier text, flights int, cancelled int, "
            "diverted int, on_time int, on_time_share float, mean_dep_delay float, mean_arr_delay float)"
        )
        pandas_tools.write_pandas(connection, table.rename(columns=str.upper), "DAILY_ON_TIME")
        return cursor.execute(sql).fetch_pandas_all().rename(columns=str.lower)


def compare(sql: str, table: pd.DataFrame) -> tuple[DialectResult, ...]:
    """The query on every dialect, each held against DuckDB's rows."""
    expected = rows(on_duckdb(sql, table))
    results = []
    for dialect in DIALECTS:
        text = transpile(sql, dialect)
        if dialect == "snowflake":
            proof, found = "executed by fakesnow", on_snowflake(text, table)
        else:
            proof, found = "parsed back, executed by DuckDB", on_duckdb(read_back(text, dialect), table)
        results.append(DialectResult(dialect, text, proof, rows(found) == expected))
    return tuple(results)


def rows(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    """The rows in order; each value in one spelling, since engines differ in types of the same value."""
    return [tuple(map(spelt, row)) for row in frame.itertuples(index=False)]


def spelt(value: object) -> str:
    """A date without its midnight, a number without needless zeros, `null`, else the text."""
    if pd.isna(value):
        return "null"
    if hasattr(value, "isoformat"):
        return str(value.isoformat())[:10]
    if isinstance(value, str):
        return value
    return f"{float(value):.6g}"
