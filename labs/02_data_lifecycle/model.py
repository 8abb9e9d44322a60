"""The delay model: how likely a flight is to arrive 15 minutes late or later, known before the day begins."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

LATE_MINUTES = 15
CATEGORIES = ["origin", "carrier", "dest", "hour", "weekday"]
NUMBERS = ["distance"]


@dataclass(frozen=True)
class Evaluation:
    """How the model did on days later than those that it learned from.

    The Brier score is the mean squared error of a probability, 0 is best. The baseline always answers the share of late
    flights in the training days. `roc_auc` is the chance that a late flight is ranked above a punctual one; 0.5 is a coin.
    """

    train_flights: int
    test_flights: int
    brier: float
    brier_baseline: float
    roc_auc: float

    @property
    def skill(self) -> float:
        """Share of the baseline's error that the model removes; zero or less means that it is of no use."""
        return 1 - self.brier / self.brier_baseline


@dataclass(frozen=True)
class Trained:
    """A fitted pipeline and how it was found to do."""

    pipeline: Pipeline
    evaluation: Evaluation


def features(flights: pd.DataFrame) -> pd.DataFrame:
    """What is known before the day: origin, carrier, dest, hour of the schedule, weekday, distance."""
    day = pd.to_datetime(flights[["year", "month", "day"]])
    return flights[["origin", "carrier", "dest", "hour", "distance"]].assign(weekday=day.dt.dayofweek)


def train(flights: pd.DataFrame, split: date) -> Trained:
    """Learn from the days before `split`, and evaluate on that day and those after it.

    Flights without an arrival (cancelled, diverted) are in neither part: the model says nothing about them.

    Raises:
        ValueError: there are no flights on one side of the split.
    """
    arrived = flights[flights.arr_delay.notna()]
    earlier = (pd.to_datetime(arrived[["year", "month", "day"]]) < pd.Timestamp(split)).to_numpy()
    if earlier.all() or not earlier.any():
        raise ValueError(f"The flights must lie on both sides of {split}.")
    given, late = features(arrived), arrived.arr_delay.to_numpy(dtype=float) >= LATE_MINUTES
    pipeline = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=50), CATEGORIES),
            (StandardScaler(), NUMBERS),
        ),
        LogisticRegression(max_iter=1000),
    )
    pipeline.fit(given[earlier], late[earlier])
    said, truth = pipeline.predict_proba(given[~earlier])[:, 1], late[~earlier]
    share = np.full(len(truth), late[earlier].mean())
    evaluation = Evaluation(
        train_flights=int(earlier.sum()),
        test_flights=len(truth),
        brier=float(brier_score_loss(truth, said)),
        brier_baseline=float(brier_score_loss(truth, share)),
        roc_auc=float(roc_auc_score(truth, said)),
    )
    return Trained(pipeline, evaluation)


def probability(pipeline: Pipeline, flights: pd.DataFrame) -> pd.Series:
    """The probability of arriving late, a flight; `flights` has year, month, day, origin, carrier, dest, hour, distance."""
    said = pipeline.predict_proba(features(flights))[:, 1]
    return pd.Series(said, index=flights.index, name="late_probability")


def save(trained: Trained, path: Path) -> Path:
    """Write the pipeline to a file, whole or not at all."""
    fresh = path.with_suffix(".new")
    joblib.dump(trained.pipeline, fresh)
    return fresh.replace(path)


def load(path: Path) -> Pipeline:
    """The pipeline in a file that we wrote. Never load one from elsewhere: unpickling runs what is in it."""
    return joblib.load(path)
