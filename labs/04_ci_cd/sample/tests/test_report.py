"""The report counts each flight once, whatever became of it."""

from ontime.report import report

FLIGHTS = [
    {"origin": "JFK", "dep_time": "600", "arr_delay": "-3"},
    {"origin": "JFK", "dep_time": "700", "arr_delay": "40"},
    {"origin": "JFK", "dep_time": "", "arr_delay": ""},
    {"origin": "EWR", "dep_time": "800", "arr_delay": ""},
]


def test_every_flight_is_scheduled():
    assert sum(counts["scheduled"] for counts in report(FLIGHTS).values()) == len(FLIGHTS)


def test_a_flight_without_departure_is_cancelled():
    assert {origin: counts["cancelled"] for origin, counts in report(FLIGHTS).items()} == {
        "EWR": 0,
        "JFK": 1,
    }


def test_only_arrivals_can_be_on_time():
    assert {origin: counts["on_time"] for origin, counts in report(FLIGHTS).items()} == {
        "EWR": 0,
        "JFK": 1,
    }
