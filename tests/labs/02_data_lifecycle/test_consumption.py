"""Consumption: the API, the model, and the extracts."""

from datetime import date
from types import SimpleNamespace

import extracts
import httpx
import model
import pandas as pd
import pyarrow.parquet as pq
import pytest
from asgi import get
from serving import create_app

from flightschool import data, paths, services

SPLIT = date(2013, 2, 20)


@pytest.fixture(scope="module")
def trained():
    return model.train(pd.concat([data.frame("flights", month) for month in (1, 2)]), SPLIT)


def test_the_model_beats_the_baseline_on_later_days(trained):
    found = trained.evaluation
    assert found.train_flights + found.test_flights == sum(
        data.frame("flights", month).arr_delay.notna().sum() for month in (1, 2)
    )
    assert found.brier < found.brier_baseline
    assert found.roc_auc > 0.55
    with pytest.raises(ValueError, match="both sides"):
        model.train(data.day(date(2013, 1, 1)), SPLIT)


@pytest.mark.slow
def test_the_api_serves_the_table_and_the_model(built, trained, tmp_path):
    saved = model.save(trained, tmp_path / "model.joblib")
    env = {"WAREHOUSE": str(built[0]), "MODEL": str(saved)}
    lab = paths.LABS / "02_data_lifecycle"
    with (
        services.web("serving_app:app", lab, ready="/health", env=env, name="serving") as server,
        httpx.Client(base_url=server.endpoint, trust_env=False) as client,
    ):
        one = client.get("/on-time/2013-02-08/JFK/AA").json()
        flights = data.day(date(2013, 2, 8)).query("origin == 'JFK' and carrier == 'AA'")
        assert (one["flights"], one["cancelled"]) == (len(flights), flights.dep_time.isna().sum())
        absent = client.get("/on-time/2013-02-08/JFK/ZZ")
        assert (absent.status_code, absent.json()["detail"]) == (
            404,
            "ZZ had no flight from JFK on 2013-02-08 in our data.",
        )
        some = client.get("/on-time", params={"day": "2013-02-08", "origin": "LGA"}).json()
        assert {row["origin"] for row in some} == {"LGA"}
        planned = {
            "day": "2013-12-24",
            "origin": "JFK",
            "dest": "LAX",
            "carrier": "AA",
            "hour": 17,
            "distance": 2475,
        }
        risk = client.post("/delay-risk", json=planned).json()["late_probability"]
        assert 0 < risk < 1
        assert client.post("/delay-risk", json=planned | {"hour": 6}).json()["late_probability"] < risk
        assert client.post("/delay-risk", json=planned | {"hour": 25}).status_code == 422


def test_without_a_warehouse_the_api_says_so(tmp_path):
    health, table = get(create_app(tmp_path / "absent.duckdb"), ["/health", "/on-time"])
    assert (health.status_code, table.status_code) == (503, 503)
    assert "try again" in table.json()["detail"]


def test_extracts_hold_what_was_written(tmp_path):
    table = pd.DataFrame(
        {
            "flight_date": pd.to_datetime(["2013-02-08", "2013-02-09"]),
            "origin": ["JFK", "LGA"],
            "flights": [3, 4],
            "mean_arr_delay": [1.5, None],
        }
    )
    hyper = extracts.tableau(table, tmp_path / "t.hyper")
    parquet = extracts.power_bi(table, tmp_path / "t.parquet")
    assert hyper.rows == parquet.rows == 2
    assert extracts.read_tableau(hyper.path).flights.tolist() == [3, 4]
    assert str(pq.read_schema(parquet.path).field("flight_date").type) == "date32[day]"
    extracts.tableau(table.head(1), hyper.path)
    assert len(extracts.read_tableau(hyper.path)) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.hyper", "t.parquet"]


def test_an_extract_that_reads_back_otherwise_keeps_the_old_file(tmp_path):
    table = pd.DataFrame({"flights": [1, 2]})
    path = extracts.power_bi(table, tmp_path / "t.parquet").path
    faulty = SimpleNamespace(write=lambda rows, to: pq.write_table(rows.slice(1), to))
    with pytest.raises(extracts.ExtractError, match="old file"):
        extracts.publish(table, path, faulty.write, pd.read_parquet)
    assert len(pd.read_parquet(path)) == 2
