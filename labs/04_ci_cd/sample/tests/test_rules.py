"""What is on time, and how late is how late."""

import pytest

from ontime.rules import delay_bucket, on_time


@pytest.mark.parametrize(("minutes", "expected"), [(-10, True), (14, True), (15, False)])
def test_less_than_15_minutes_is_on_time(minutes, expected):
    assert on_time(minutes) is expected


def test_a_flight_that_never_arrived_is_not_on_time():
    assert not on_time(None)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(None, "never"), (0, "on_time"), (15, "late_15"), (45, "late_45"), (120, "late_120")],
)
def test_buckets_begin_where_they_say(minutes, expected):
    assert delay_bucket(minutes) == expected
