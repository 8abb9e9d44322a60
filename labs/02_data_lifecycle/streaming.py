"""Streaming: a day's departures through a Kafka topic, counted by airport in tumbling windows of event time.

Event time is when the aircraft left, not when we heard of it. Events of one airport share a key, hence a partition,
hence their order; so each airport has its own watermark, and the counts do not depend on how partitions interleave.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pandas as pd
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer

from flightschool.errors import FlightSchoolError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BrokerSilentError(FlightSchoolError):
    """No broker, or no partition of the topic, answered in time."""


@dataclass(frozen=True)
class Departure:
    """An aircraft left its gate. `departed` is in UTC."""

    airport: str
    carrier: str
    flight: int
    departed: datetime

    def to_json(self) -> bytes:
        """The message's value."""
        return json.dumps(asdict(self) | {"departed": self.departed.isoformat()}).encode()

    @classmethod
    def from_json(cls, value: bytes) -> Self:
        """The departure in a message's value."""
        fields = json.loads(value)
        return cls(**fields | {"departed": datetime.fromisoformat(fields["departed"])})


@dataclass
class Delivery:
    """What the broker confirmed, message by message."""

    delivered: int = 0
    failed: list[str] = field(default_factory=list)

    def report(self, error: KafkaError | None, _message: Message) -> None:
        """librdkafka calls this once for each message."""
        if error is None:
            self.delivered += 1
        else:
            self.failed.append(error.str())


def departures(flights: pd.DataFrame) -> list[Departure]:
    """The departures of these flights in the order in which they left; cancelled flights never left."""
    left = flights[flights.dep_time.notna()]
    minutes = pd.to_timedelta(left.minute + left.dep_delay, unit="min")
    at = pd.to_datetime(left.time_hour, utc=True) + minutes
    events = [
        Departure(airport, carrier, int(flight), departed.to_pydatetime())
        for airport, carrier, flight, departed in zip(left.origin, left.carrier, left.flight, at, strict=True)
    ]
    return sorted(events, key=lambda event: (event.departed, event.airport, event.carrier, event.flight))


def held_back(events: Iterable[Departure], airport: str, since: datetime, until: datetime) -> list[Departure]:
    """The same events as they arrive when the airport's line is down from `since` to `until`: its own come at the end."""
    events = list(events)
    held = [event for event in events if event.airport == airport and since <= event.departed < until]
    return [event for event in events if event not in set(held)] + held


def produce(events: Iterable[Departure], bootstrap: str, topic: str) -> Delivery:
    """Send events, keyed by airport, and wait until the broker has confirmed or refused each."""
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5})
    delivery = Delivery()
    for event in events:
        while True:
            try:
                producer.produce(topic, key=event.airport, value=event.to_json(), on_delivery=delivery.report)
                break
            except BufferError:  # the local queue is full: let it drain
                producer.poll(0.1)
        producer.poll(0)
    if unsent := producer.flush(30):
        delivery.failed += ["not confirmed within 30 s"] * unsent
    return delivery


def consume(
    bootstrap: str, topic: str, group: str, *, batch: int = 500, patience: float = 15.0
) -> Iterator[list[Departure]]:
    """Read what a topic holds at present, in batches, as a member of a consumer group.

    A batch is committed when you ask for the next one. So a reader that dies is given its last batch again: every
    event at least once. Whoever stores the result must bear that (a key, a merge).

    Args:
        batch: events in a batch, at most.
        patience: seconds of silence after which we give up.

    Raises:
        BrokerSilentError: nothing was heard for `patience` seconds.
        confluent_kafka.KafkaException: the broker reported an error.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            # Kafka 4's group protocol: a member that comes back gets its partitions at once.
            "group.protocol": "consumer",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    consumer.subscribe([topic])
    at_end: set[int] = set()
    heard = time.monotonic()
    try:
        while True:
            messages = consumer.consume(batch, timeout=0.2)
            events = [Departure.from_json(value) for value in values(messages, at_end)]
            if events:
                yield events
                consumer.commit(asynchronous=False)
            assigned = {partition.partition for partition in consumer.assignment()}
            if assigned and assigned <= at_end:
                return
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > patience:
                raise BrokerSilentError(
                    f"Topic {topic} at {bootstrap} was silent for {patience:g} s: "
                    "is the broker up, and does the topic exist?"
                )
    finally:
        consumer.close()


def values(messages: Iterable[Message], at_end: set[int]) -> Iterator[bytes]:
    """The values of messages; keeps `at_end`, the partitions that have been read to their end, up to date."""
    for message in messages:
        error, partition, value = message.error(), message.partition(), message.value()
        assert partition is not None
        if error is None:
            at_end.discard(partition)
            assert value is not None
            yield value
        elif error.code() == KafkaError._PARTITION_EOF:
            at_end.add(partition)
        else:
            raise KafkaException(error)


class TumblingWindows:
    """Counts of departures by airport and window; windows have equal width and don't overlap.

    An airport's watermark is the newest departure seen there less `lateness`. A window is closed when the watermark has
    reached its end: its count is final, and an event that comes for it later is `late` and is set aside, not lost.
    """

    def __init__(self, width: timedelta, lateness: timedelta = timedelta(0)) -> None:
        self.width = width
        self.lateness = lateness
        self.watermark: dict[str, datetime] = {}
        self.late: list[Departure] = []
        self._counts: Counter[tuple[str, datetime]] = Counter()

    def add(self, event: Departure) -> bool:
        """Count an event; False when it came too late."""
        start = event.departed - (event.departed - EPOCH) % self.width
        if self._closed(event.airport, start):
            self.late.append(event)
            return False
        self._counts[event.airport, start] += 1
        mark = event.departed - self.lateness
        self.watermark[event.airport] = max(mark, self.watermark.get(event.airport, mark))
        return True

    def counts(self) -> pd.DataFrame:
        """airport, window_start (UTC), departures, closed; sorted."""
        rows: list[tuple[Any, ...]] = [
            (airport, start, count, self._closed(airport, start))
            for (airport, start), count in sorted(self._counts.items())
        ]
        return pd.DataFrame(rows, columns=["airport", "window_start", "departures", "closed"])

    def _closed(self, airport: str, start: datetime) -> bool:
        return airport in self.watermark and start + self.width <= self.watermark[airport]
