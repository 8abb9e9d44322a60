"""Is a query portable? One text in DuckDB's dialect, and what becomes of it in each of the other warehouses.

Snowflake's text is executed (fakesnow, a Snowflake emulator on DuckDB). BigQuery and Redshift have no emulator to run here: their text is
parsed in their own grammar, its functions are looked up in their manuals' lists, and it is read back into DuckDB and executed there.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import duckdb
import sqlglot
from dialects import DIALECTS, on_duckdb, on_snowflake, read_back, transpile
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType

if TYPE_CHECKING:
    import pandas as pd

COMMON = """
abs ascii avg ceil ceiling char_length coalesce concat corr count covar_pop covar_samp cume_dist current_date
current_timestamp date_add date_diff date_part date_trunc datediff dateadd dense_rank exp extract first_value floor greatest
initcap lag last_value lead least left length listagg ln lower lpad ltrim max min mod month nth_value ntile nullif percent_rank
percentile_cont percentile_disc pow power quarter rank regexp_replace regexp_substr repeat replace reverse right round
row_number rpad rtrim sign sqrt stddev stddev_pop stddev_samp substr substring sum translate trim upper var_pop var_samp
variance year cast exists in and or not over values interval
"""
OWN = {
    "snowflake": """
        any_value approx_count_distinct array_agg boolor_agg booland_agg contains convert_timezone count_if datefromparts date_from_parts
        day dayname dayofmonth dayofweek dayofweekiso dayofyear decode div0 div0null endswith equal_null hour iff ifnull in_list
        last_day len log max_by median min_by minute mode monthname months_between next_day nvl nvl2 object_construct position
        ratio_to_report regexp_count regexp_instr regexp_like second split split_part startswith timediff timestampadd
        timestampdiff time_slice to_char to_date to_decimal to_double to_number to_timestamp to_varchar trunc truncate try_cast week
        weekiso weekofyear yearofweek yearofweekiso zeroifnull
    """,
    "bigquery": """
        any_value approx_count_distinct approx_quantiles approx_top_count array array_agg array_length byte_length contains_substr
        countif date datetime datetime_add datetime_diff datetime_sub datetime_trunc date_sub day div ends_with format format_date
        format_datetime format_timestamp generate_array generate_date_array hour if ifnull ieee_divide instr last_day log logical_and
        logical_or max_by min_by minute offset ordinal parse_date parse_datetime parse_timestamp range_bucket regexp_contains
        regexp_extract safe_cast safe_divide safe_offset second split starts_with string string_agg strpos struct time timestamp
        timestamp_add timestamp_diff timestamp_sub timestamp_trunc to_json_string trunc unix_seconds unnest week
    """,
    "redshift": """
        add_months any_value approximate bool_and bool_or bpcharcmp btrim charindex convert_timezone date date_cmp date_part_year
        day dayofweek decode getdate hour isnull last_day len log median minute months_between next_day nvl nvl2 position
        ratio_to_report regexp_count regexp_instr second split_part strpos textlen to_char to_date to_number to_timestamp trunc
        week
    """,
}
"""Function names of the manuals, without those that no query over a small table needs."""
WORDS = """
all and any array as between by case char decimal distinct else exists filter from group having if in intersect interval
join like not numeric on or order over partition qualify row select some struct then union unnest using values varchar
when where window with within
"""
"""Words of the grammar that may stand before a bracket."""


def unknown(sql: str, dialect: str) -> list[str]:
    """What a text in that dialect uses that its warehouse does not have: names of functions, and the FILTER clause."""
    tokens = sqlglot.Dialect.get_or_raise(dialect).tokenize(sql)
    called = {
        token.text.lower()
        for token, after in pairwise(tokens)
        if after.token_type is TokenType.L_PAREN
        and token.text.replace("_", "").isalnum()
        and not token.text.isdigit()
    }
    known = {*WORDS.split(), *COMMON.split(), *OWN[dialect].split()}
    names = sorted(name.upper() for name in called - known)
    tree = sqlglot.parse_one(sql, read=dialect)
    # Table aliases with columns, as in `with best (origin, place) as`, look like calls.
    aliases = {alias.name.upper() for alias in tree.find_all(exp.TableAlias)}
    clauses = ["FILTER"] if tree.find(exp.Filter) else []
    return [name for name in names if name not in aliases] + clauses


def examine(sql: str, table: pd.DataFrame) -> dict[str, Any]:
    """A query over the table `daily_on_time`: its rows on DuckDB, and in each dialect its text, its problems, its rows.

    {"rows", "error", "dialects": {name: {"sql", "unknown", "rows", "error"}}}; rows are a pandas frame, an error is one
    line. A query that does not work raises nothing.
    """
    found = {"rows": None, "error": None} | attempt(lambda: {"rows": on_duckdb(sql, table)})
    return found | {"dialects": {dialect: translated(sql, dialect, table) for dialect in DIALECTS}}


def translated(sql: str, dialect: str, table: pd.DataFrame) -> dict[str, Any]:
    """One dialect's part of `examine`."""
    found: dict[str, Any] = {"sql": None, "unknown": [], "rows": None, "error": None}
    found |= attempt(lambda: {"sql": transpile(sql, dialect)})
    if (text := found["sql"]) is None:
        return found
    found |= attempt(lambda: {"unknown": unknown(text, dialect)})
    if dialect == "snowflake":
        return found | attempt(lambda: {"rows": on_snowflake(text, table)})
    return found | attempt(lambda: {"rows": on_duckdb(read_back(text, dialect), table)})


def attempt(step: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What the step gives, or the first line of what the parser or the database has against it."""
    from snowflake.connector.errors import Error as SnowflakeError

    try:
        return step()
    except (SqlglotError, duckdb.Error, SnowflakeError, NotImplementedError) as error:
        return {"error": (str(error).strip() or type(error).__name__).splitlines()[0]}
