"""What the source system sends in the exercises of this lab: files, corrected files, gate events.

Inputs only. What should come of them is known to the judges alone.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from flightschool.data import raw

if TYPE_CHECKING:
    import pandas as pd

    from flightschool.data import World

DISTURBED = 6
"""Flights that a correction changes; it withdraws a third as many."""
ROUGH_DAYS = ("2013-02-11", "2013-05-23", "2013-06-13", "2013-08-08", "2013-09-12", "2013-12-14")
"""Days with many cancelled flights, and with some that left and never arrived: it shows which column is counted."""
OUTAGE = timedelta(hours=2)


def write(frame: pd.DataFrame, folder: Path, name: str) -> Path:
    """A file as the source sends it, under that name in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(raw.render(frame))
    return path


def corrected(frame: pd.DataFrame, rng: Random) -> pd.DataFrame:
    """The same day as the source sends it again: some arrivals mended, some flights withdrawn, the rest as it was."""
    changed = frame.copy()
    landed = [index for index in changed.index if changed.arr_delay.notna()[index]]
    touched = rng.sample(landed, min(len(landed), DISTURBED + DISTURBED // 3))
    changed.loc[touched[:DISTURBED], "arr_delay"] += 7
    return changed.drop(index=touched[DISTURBED:]).reset_index(drop=True)


def three_days(world: World) -> list[date]:
    """Three days of this world, in order."""
    return sorted(world.days(3))


def look_alikes(world: World) -> list[date]:
    """Three days in order: the first two of one month, the last two with the same number in their months."""
    rng = world.rng("look-alike days")
    month, later = sorted(rng.sample(range(1, 13), 2))
    first, number = sorted(rng.sample(range(1, 29), 2))
    return [date(2013, month, first), date(2013, month, number), date(2013, later, number)]


def rough_and_ordinary(world: World) -> list[date]:
    """A rough day and another one, in order."""
    rough = date.fromisoformat(world.rng("rough day").choice(ROUGH_DAYS))
    return sorted([rough, next(day for day in world.days(2) if day != rough)])


def gate_events(frame: pd.DataFrame, rng: Random) -> list[dict[str, Any]]:
    """The gate events of a day's flights in the order in which they reach the broker.

    One event an aircraft that left: `event_id`, `airport`, `carrier`, `flight`, `at` (UTC, when it left its gate) and
    `received_at` (UTC, when the collector had it). The line of one airport is down for two hours, so its events come later; and one
    event in thirty is sent twice, since the sender saw no confirmation.
    """
    import pandas as pd

    left = frame[frame.dep_time.notna()]
    at = pd.to_datetime(left.time_hour, utc=True) + pd.to_timedelta(left.minute + left.dep_delay, unit="min")
    events = sorted(zip(at, left.origin, left.carrier, left.flight, strict=True))
    times = [event[0] for event in events]
    down = rng.choice(sorted(set(left.origin)))
    since = times[len(times) // 3].floor("h")
    sent: list[tuple[Any, int, dict[str, Any]]] = []
    for number, (moment, airport, carrier, flight) in enumerate(events):
        held = airport == down and since <= moment < since + OUTAGE
        received = (since + OUTAGE if held else moment) + timedelta(seconds=rng.randint(1, 40))
        event = {
            "event_id": f"{frame.year.iloc[0]}-{frame.month.iloc[0]:02}-{frame.day.iloc[0]:02}-{carrier}-{int(flight)}-{airport}",
            "airport": airport,
            "carrier": carrier,
            "flight": int(flight),
            "at": stamp(moment),
            "received_at": stamp(received),
        }
        sent.append((received, number, event))
        if rng.randrange(30) == 0:
            again = received + timedelta(seconds=rng.randint(5, 5400))
            sent.append((again, number, event | {"received_at": stamp(again)}))
    return [event for _received, _number, event in sorted(sent, key=lambda item: item[:2])]


def stamp(moment: Any) -> str:
    """A moment in UTC as the events carry it: 2013-02-08T15:04:00Z."""
    return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


def on_time_by_carrier(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """The table `daily_on_time` of these days, as `elt_dbt` and `etl_spark` make it."""
    import pandas as pd

    flights = pd.concat(frames, ignore_index=True)
    flights["flight_date"] = pd.to_datetime(flights[["year", "month", "day"]]).dt.date
    flights["cancelled"] = flights.dep_time.isna()
    flights["diverted"] = flights.dep_time.notna() & flights.arr_delay.isna()
    flights["on_time"] = flights.arr_delay < 15
    daily = flights.groupby(["flight_date", "origin", "carrier"], as_index=False).agg(
        flights=("flight", "size"),
        cancelled=("cancelled", "sum"),
        diverted=("diverted", "sum"),
        on_time=("on_time", "sum"),
        mean_dep_delay=("dep_delay", "mean"),
        mean_arr_delay=("arr_delay", "mean"),
    )
    daily.insert(7, "on_time_share", daily.on_time / daily.flights)
    return daily


def with_a_tie(daily: pd.DataFrame, rng: Random) -> pd.DataFrame:
    """`daily_on_time` where at each airport another carrier, never cancelling, flew just as much as the busiest: what breaks the tie?"""
    import pandas as pd

    parts = []
    for _origin, here in daily.groupby("origin"):
        flown = here.groupby("carrier").flights.sum()
        busiest = flown.idxmax()
        other = rng.choice(sorted(set(flown.index) - {busiest}))
        twin = here[here.carrier == busiest].assign(carrier=other, cancelled=0)
        parts += [here[here.carrier != other], twin]
    return pd.concat(parts).sort_values(["flight_date", "origin", "carrier"], ignore_index=True)
