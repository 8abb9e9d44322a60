"""Streaming over the Kafka protocol, against librdkafka's mock broker."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import streaming

from flightschool import data, services

HOUR = timedelta(hours=1)
TEN, ELEVEN = datetime(2013, 2, 7, 15, tzinfo=UTC), datetime(2013, 2, 7, 16, tzinfo=UTC)


@pytest.fixture(scope="module")
def events(days):
    return streaming.departures(data.day(days[0]))


@pytest.fixture(scope="module")
def kafka():
    return services.kafka()


def counted(windows):
    return {(row.airport, row.window_start): row.departures for row in windows.counts().itertuples()}


def test_every_departure_arrives_once_and_is_counted_in_its_hour(kafka, events, days):
    kafka.create_topic("whole-day", 3)
    delivery = streaming.produce(events, kafka.endpoint, "whole-day")
    assert (delivery.delivered, delivery.failed) == (len(events), [])
    windows = streaming.TumblingWindows(HOUR)
    for batch in streaming.consume(kafka.endpoint, "whole-day", "counter"):
        assert all(windows.add(event) for event in batch)
    expected = Counter(
        (event.airport, event.departed.replace(minute=0, second=0, microsecond=0)) for event in events
    )
    assert counted(windows) == expected
    assert sum(expected.values()) == data.day(days[0]).dep_time.notna().sum()


def test_a_restarted_group_goes_on_behind_its_last_commit(kafka, events):
    kafka.create_topic("restart", 3)
    streaming.produce(events, kafka.endpoint, "restart")
    reader = streaming.consume(kafka.endpoint, "restart", "restarted", batch=100)
    committed, interrupted = next(reader), next(reader)
    reader.close()  # the second batch was never finished
    rest = [event for batch in streaming.consume(kafka.endpoint, "restart", "restarted") for event in batch]
    assert Counter(committed + rest) == Counter(events)
    assert set(interrupted) <= set(rest)
    assert list(streaming.consume(kafka.endpoint, "restart", "restarted")) == []


def test_what_was_held_back_is_late_unless_the_window_waits(events):
    arriving = streaming.held_back(events, "LGA", TEN, ELEVEN)
    held = [event for event in events if event.airport == "LGA" and TEN <= event.departed < ELEVEN]
    assert arriving != events
    assert Counter(arriving) == Counter(events)
    hasty, patient = streaming.TumblingWindows(HOUR), streaming.TumblingWindows(HOUR, timedelta(days=1))
    for event in arriving:
        hasty.add(event)
        patient.add(event)
    assert hasty.late == held
    assert patient.late == []
    assert not patient.counts().closed.any()
    assert hasty.counts().closed.any()


def test_a_message_reads_back_as_what_was_sent(events):
    assert streaming.Departure.from_json(events[0].to_json()) == events[0]


def test_a_broker_that_is_not_there_is_said_in_a_sentence(kafka):
    with pytest.raises(streaming.BrokerSilentError, match=r"silent for 0\.5 s"):
        list(streaming.consume("127.0.0.1:9", "whole-day", "g", patience=0.5))
