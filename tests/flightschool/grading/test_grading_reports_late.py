"""Lateness: days after the deadline, wherever the clocks are, and what a policy leaves of the points."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightschool.errors import FlightSchoolError
from flightschool.grading.late import Late, days_late, policy

BERLIN = ZoneInfo("Europe/Berlin")
DEADLINE = datetime(2026, 3, 2, 23, 59, tzinfo=BERLIN)
HOUR = timedelta(hours=1)


def test_in_time_at_the_deadline_and_without_a_time():
    assert days_late(DEADLINE - HOUR, DEADLINE) == 0
    assert days_late(DEADLINE, DEADLINE) == 0
    assert days_late(None, DEADLINE) == 0


def test_late_by_a_day_and_a_half():
    assert days_late(DEADLINE + timedelta(hours=36), DEADLINE) == 1.5


def test_grace_forgives_what_is_in_it_and_nothing_of_what_is_not():
    assert days_late(DEADLINE + HOUR, DEADLINE, HOUR) == 0
    assert days_late(DEADLINE + 2 * HOUR, DEADLINE, HOUR) == pytest.approx(2 / 24)
    assert days_late(DEADLINE + HOUR, DEADLINE, -HOUR) == pytest.approx(1 / 24)
    assert days_late(DEADLINE - HOUR / 2, DEADLINE, -HOUR) == 0


def test_zones_are_compared_by_the_moment():
    same = DEADLINE.astimezone(ZoneInfo("Pacific/Auckland"))
    assert days_late(same, DEADLINE) == 0
    assert days_late(same + HOUR, DEADLINE) == pytest.approx(1 / 24)
    assert days_late(DEADLINE.astimezone(UTC) + HOUR, DEADLINE) == pytest.approx(1 / 24)


@pytest.mark.parametrize(
    ("before", "after", "hours"),
    [
        (datetime(2026, 3, 29, 1, 0, tzinfo=BERLIN), datetime(2026, 3, 29, 4, 0, tzinfo=BERLIN), 2),
        (datetime(2026, 10, 25, 1, 0, tzinfo=BERLIN), datetime(2026, 10, 25, 4, 0, tzinfo=BERLIN), 4),
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN), datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN), 1),
    ],
    ids=["forward", "back", "twice the same hour"],
)  # fmt: skip
def test_hours_are_counted_as_they_pass_when_the_clocks_change(before, after, hours):
    assert days_late(after, before) == pytest.approx(hours / 24)


@pytest.mark.parametrize("which", ["received", "deadline"])
def test_a_time_without_a_zone_is_refused(which):
    times = {"received": DEADLINE, "deadline": DEADLINE}
    times[which] = DEADLINE.replace(tzinfo=None)
    with pytest.raises(ValueError, match="zone"):
        days_late(**times)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10%/day", Late(0.1)),
        ("10%/day, at most 50%", Late(0.1, most=0.5)),
        (" 2.5 % / Hour ,  AT MOST 30 % ", Late(0.025, timedelta(hours=1), 0.3)),
        ("0%/day", Late(0)),
        ("100%/day", Late(1)),
    ],
)
def test_policies_that_can_be_written(text, expected):
    assert policy(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "10", "10%", "10/day", "10%/week", "-1%/day", "110%/day", "10%/day at most 50%", "10%/day, at most 101%",
     "1e1%/day", "nan%/day", "١٠%/day", "10%/day, at most 50%, please", "x" * 5000],
)  # fmt: skip
def test_what_is_no_policy_is_refused_in_one_sentence(text):
    with pytest.raises(FlightSchoolError) as caught:
        policy(text)
    assert "10%/day" in str(caught.value)
    assert len(str(caught.value)) < 250
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("days", "kept"), [(0, 1), (0.01, 0.9), (1, 0.9), (1.001, 0.8), (3, 0.7), (5, 0.5), (400, 0.5)]
)
def test_a_day_begun_counts_up_to_the_most(days, kept):
    assert policy("10%/day, at most 50%").kept(days) == kept


@given(hours=st.integers(0, 24 * 60))
def test_whole_hours_are_not_rounded_up_to_one_more(hours):
    deadline = DEADLINE.astimezone(UTC)
    late = days_late(deadline + hours * HOUR, deadline)
    assert policy("0.1%/hour").kept(late) == pytest.approx(1 - min(1, hours / 1000))


@given(rate=st.integers(0, 100), most=st.integers(0, 100), days=st.floats(0, 1e6))
def test_what_is_kept_is_a_share(rate, most, days):
    late = policy(f"{rate}%/day, at most {most}%")
    assert max(0, 1 - most / 100 - 1e-9) <= late.kept(days) <= 1
    assert late.kept(days + 1) <= late.kept(days)
