"""Quality gate, deployment, orchestration and monitoring."""

import shutil
import sys
from datetime import UTC, datetime, timedelta

import deploy
import duckdb
import monitoring
import pandas as pd
import pytest
import quality

from flightschool import data, paths

LAB = paths.LABS / "02_data_lifecycle"
PYTHON = [sys.executable]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:great_expectations")
@pytest.mark.filterwarnings("ignore:module 'sre_constants':DeprecationWarning")
def test_the_gate_lets_clean_days_pass_and_says_what_is_wrong_with_others(days):
    for day in days:
        result = quality.gate(data.day(day), day)
        assert result.passed, result.failures
        result.require()
    flights = data.day(days[0])
    twice = quality.gate(pd.concat([flights, flights.head(3)]), days[0])
    assert [failure.expectation for failure in twice.failures] == ["compound_columns_to_be_unique"]
    assert twice.failures[0].unexpected == 6
    assert len(twice.failures[0].examples) == quality.EXAMPLES
    with pytest.raises(quality.QualityGateClosedError, match=r"2013-02-07 was stopped .* \(6 of 935 rows\)"):
        twice.require()

    spoilt = {
        "air_time": flights.assign(air_time=flights.air_time / 60),
        "origin": flights.assign(origin=flights.origin.replace("LGA", "LGB")),
        "dest": flights.assign(dest=flights.dest.where(flights.dest != "BOS")),
        "day": flights.assign(day=8),
        "arr_delay": flights.rename(columns={"arr_delay": "arrival_delay"}),
    }
    for column, frame in spoilt.items():
        assert {failure.column for failure in quality.gate(frame, days[0]).failures} == {column}


def test_a_bad_version_never_becomes_current(tmp_path):
    source, site = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    (source / "app.py").write_text("answer = 1")
    smoke = [*PYTHON, "-c", "import app; assert app.answer, 'no answer'"]
    first = deploy.deploy(source, "1.0.0", site, smoke)
    assert first.current
    (source / "app.py").write_text("answer = 0")
    with pytest.raises(deploy.DeploymentError, match=r"2\.0\.0 failed its smoke test .*no answer"):
        deploy.deploy(source, "2.0.0", site, smoke)
    assert [(release.version, release.current) for release in deploy.releases(site)] == [("1.0.0", True)]
    assert (site / "current" / "app.py").read_text() == "answer = 1"
    with pytest.raises(deploy.DeploymentError, match="deployed already"):
        deploy.deploy(source, "1.0.0", site, smoke)
    with pytest.raises(deploy.DeploymentError, match="can't name a version"):
        deploy.deploy(source, "../2", site, smoke)
    with pytest.raises(deploy.DeploymentError, match="no earlier version"):
        deploy.rollback(site)
    (source / "app.py").write_text("answer = 2")
    deploy.deploy(source, "2.0.1", site, smoke)
    assert (site / "current" / "app.py").read_text() == "answer = 2"
    assert deploy.rollback(site).version == "1.0.0"
    assert (site / "current" / "app.py").read_text() == "answer = 1"


@pytest.mark.slow
def test_the_serving_api_is_deployed_only_with_a_warehouse(built, tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("serving.py", "serving_app.py", "model.py", "asgi.py", "smoke.py"):
        shutil.copy(LAB / name, source)
    monkeypatch.setenv("WAREHOUSE", str(built[0]))
    assert deploy.deploy(source, "1.0.0", tmp_path / "site", [*PYTHON, "smoke.py"]).current
    monkeypatch.setenv("WAREHOUSE", str(tmp_path / "absent.duckdb"))
    with pytest.raises(deploy.DeploymentError, match="/health answered 503"):
        deploy.deploy(source, "1.0.1", tmp_path / "site", [*PYTHON, "smoke.py"])


@pytest.mark.slow
def test_the_dag_loads_a_day_and_a_missing_day_fails_at_once(files, days, tmp_path):
    import airflow_run
    import etl

    run = airflow_run.run_dag(days[1], files[1].parent, tmp_path / "lake", tmp_path)
    assert run.state == "success", run.log.read_text()
    assert [(task.task_id, task.state) for task in run.tasks] == [
        (name, "success") for name in ("ingest", "transform", "load")
    ]
    assert etl.read_day(days[1], tmp_path / "lake").num_rows == len(data.day(days[1]))
    absent = airflow_run.run_dag(days[1] + timedelta(days=1), files[1].parent, tmp_path / "lake", tmp_path)
    assert absent.state == "failed"
    assert [task.state for task in absent.tasks] == ["failed", "upstream_failed", "upstream_failed"]
    assert "MissingFile" in absent.log.read_text()


def test_stages_are_measured_and_failures_kept(tmp_path):
    metrics = tmp_path / "metrics.duckdb"
    with monitoring.stage("ingestion", metrics) as run:
        run.rows = 930
    with pytest.raises(ZeroDivisionError), monitoring.stage("quality", metrics):
        1 / 0  # noqa: B018
    runs = monitoring.stage_runs(metrics)
    assert runs[["stage", "state"]].to_numpy().tolist() == [["ingestion", "success"], ["quality", "failed"]]
    assert runs.rows.tolist()[0] == 930
    assert (runs.seconds >= 0).all()


def test_freshness_is_the_age_of_the_newest_event(tmp_path):
    warehouse = tmp_path / "w.duckdb"
    with pytest.raises(monitoring.NothingLoadedError):
        monitoring.freshness(warehouse, datetime.now(UTC))
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.flights as select timestamptz '2013-02-08 12:00:00+00' as time_hour"
        )
    noon = datetime(2013, 2, 9, 12, tzinfo=UTC)
    assert not monitoring.freshness(warehouse, noon).stale
    late = monitoring.freshness(warehouse, noon + timedelta(minutes=6))
    assert late.stale
    assert late.sentence == "STALE: the newest flight is of 2013-02-08 12:00 UTC, 24.1 h ago (limit 24 h)"
    assert monitoring.row_counts(warehouse).to_numpy().tolist() == [["raw", "flights", 1]]
