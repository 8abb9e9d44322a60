"""A model of late arrivals, its versions in MLflow's registry, and the API that serves the one called champion.

A model is a small file, `model.json`: the share of late flights for each hour of the schedule. What serves it asks the registry at each
request which version the alias `champion` names, so that a promotion or a rollback is one write there and no release of the service.
"""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightschool.errors import FlightSchoolError

if TYPE_CHECKING:
    import pandas as pd
    from fastapi import FastAPI
    from mlflow import MlflowClient

    from flightschool.data import World

os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
warnings.filterwarnings("ignore", message="IProgress not found")

NAME = "delay-risk"
CHAMPION, PREVIOUS = "champion", "previous"
LATE = 15
"""Minutes after schedule from which an arrival is late."""

Model = dict[str, float]


class ModelError(FlightSchoolError):
    """A version whose file is missing or no model."""


def train(flights: pd.DataFrame, weight: float = 20.0) -> Model:
    """For each scheduled hour (`"6"` …) the share of late arrivals, drawn to the mean where flights are few; `""` is the mean."""
    known = flights.dropna(subset=["arr_delay"])
    late = known.arr_delay >= LATE
    mean = float(late.mean())
    hours = late.groupby(known.sched_dep_time // 100).agg(["sum", "count"])
    shares = (hours["sum"] + weight * mean) / (hours["count"] + weight)
    return {"": round(mean, 6)} | {str(int(hour)): round(float(share), 6) for hour, share in shares.items()}


def probability(model: Mapping[str, float], sched_dep_time: int) -> float:
    """How likely a flight scheduled at that time (HHMM) is to be late."""
    return model.get(str(sched_dep_time // 100), model[""])


def brier(model: Mapping[str, float], flights: pd.DataFrame) -> float:
    """The mean squared error of the probabilities on flights that arrived: 0 is perfect, less is better (Brier, 1950)."""
    known = flights.dropna(subset=["arr_delay"])
    given = known.sched_dep_time.map(lambda at: probability(model, int(at)))
    return float(((given - (known.arr_delay >= LATE)) ** 2).mean())


def local_client(folder: Path) -> MlflowClient:
    """A registry of one's own in a folder, without a server: the same client, the same calls."""
    import logging

    from mlflow import MlflowClient

    for noisy in ("mlflow.store.db.utils", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    return MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")


def experiment(client: MlflowClient, artifacts: Path | None = None) -> str:
    """The id of the experiment that the models' runs belong to; with a folder for artifacts where no server keeps them."""
    found = client.get_experiment_by_name(NAME)
    if found:
        return str(found.experiment_id)
    place = None if artifacts is None else artifacts.absolute().as_uri()
    return str(client.create_experiment(NAME, artifact_location=place))


def register(
    client: MlflowClient, model: Any, artifacts: Path | None = None, score: float | None = None
) -> str:
    """Log a model as a run, and make it a new version of the registered model; returns the version."""
    from mlflow.exceptions import MlflowException

    run = client.create_run(experiment(client, artifacts))
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "model.json")
        file.write_text(json.dumps(model))
        client.log_artifact(run.info.run_id, str(file))
    if score is not None:
        client.log_metric(run.info.run_id, "brier", score)
    client.set_terminated(run.info.run_id)
    try:
        client.create_registered_model(NAME)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    made = client.create_model_version(NAME, run.info.artifact_uri, run.info.run_id, await_creation_for=0)
    return str(made.version)


def load(client: MlflowClient, version: str) -> Model:
    """The model of a version.

    Raises:
        ModelError: its file is missing, or no model.
    """
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_model_version(NAME, version).run_id
        with tempfile.TemporaryDirectory() as place:
            model = json.loads(Path(client.download_artifacts(run, "model.json", place)).read_text())
    except (MlflowException, OSError, ValueError) as error:
        raise ModelError(f"Version {version} can't be loaded: {str(error).splitlines()[0]}") from None
    if not isinstance(model, dict) or "" not in model:
        raise ModelError(f"Version {version} holds no shares of late flights.")
    return model


def alias(client: MlflowClient, name: str) -> str | None:
    """The version that an alias names; None when it names none."""
    return client.get_registered_model(NAME).aliases.get(name)


def create_app(client: MlflowClient) -> FastAPI:
    """GET /health, and GET /delay-risk/{sched_dep_time}: the probability, and the version that gave it."""
    from fastapi import FastAPI, HTTPException
    from fastapi import Path as PathParameter

    app = FastAPI(title="Delay risk")
    cache: dict[str, Model] = {}

    def champion() -> tuple[str, Model]:
        version = alias(client, CHAMPION)
        if version is None:
            raise HTTPException(503, "No version is champion.")
        try:
            if version not in cache:
                cache[version] = load(client, version)
        except ModelError as error:
            raise HTTPException(503, str(error)) from None
        return str(version), cache[version]

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"version": champion()[0]}

    @app.get("/delay-risk/{sched_dep_time}")
    def delay_risk(sched_dep_time: int = PathParameter(ge=0, le=2359)) -> dict[str, Any]:
        version, model = champion()
        return {"version": version, "probability": probability(model, sched_dep_time)}

    return app


def ask(app: FastAPI, path: str = "/delay-risk/1830") -> tuple[int, dict[str, Any]]:
    """Status and JSON of one request, answered in this process without a port."""
    import asyncio

    import httpx

    async def send() -> tuple[int, dict[str, Any]]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as browser:
            reply = await browser.get(path)
        return reply.status_code, reply.json()

    # A thread of its own: a notebook's thread runs an event loop already.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(send())).result()


def candidates(world: World) -> tuple[dict[str, Any], pd.DataFrame]:
    """Models by what they are (poor, middling, good, best, broken), and the newest flights, on which they are scored.

    All but the broken one come from one trained model; the less good, the further their shares are from it.
    """
    import pandas as pd

    day = world.days(1)[0]
    past = [day + timedelta(days=n) for n in range(1, 8) if (day + timedelta(days=n)).year == day.year]
    flights = pd.concat([world.flights(one) for one in (past or [day])], ignore_index=True)
    best = train(flights)
    models: dict[str, Any] = {"broken": {"version": 2}}
    for name, off in (("poor", 0.6), ("middling", 0.4), ("good", 0.2), ("best", 0.0)):
        # Away from the share, towards the further end.
        models[name] = {
            hour: round(share + (off if share < 0.5 else -off), 6) for hour, share in best.items()
        }
    return models, flights
