"""Gate events through a Kafka topic: publish a list of them, and read back all that a topic holds."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition

from flightschool.errors import FlightSchoolError


class TopicUnreadableError(FlightSchoolError):
    """The topic is not there, its broker is silent, or it did not take every event."""


def publish(events: Iterable[dict[str, Any]], bootstrap: str, topic: str) -> int:
    """Send events as JSON, keyed by airport; returns how many the broker confirmed.

    Raises:
        TopicUnreadableError: some were not confirmed within 30 seconds.
    """
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
    sent = 0
    for event in events:
        producer.produce(topic, key=event["airport"], value=json.dumps(event))
        producer.poll(0)
        sent += 1
    if unsent := producer.flush(30):
        raise TopicUnreadableError(f"{unsent} of {sent} events were not confirmed by the broker: is it up?")
    return sent


def read_all(bootstrap: str, topic: str, *, patience: float = 15.0) -> Iterator[dict[str, Any]]:
    """Every event that the topic holds now, from its beginning, each partition in its order.

    Raises:
        TopicUnreadableError: the topic has no partition, or nothing was heard for `patience` seconds.
        confluent_kafka.KafkaException: the broker reported an error.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "reader",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 20,
        }
    )
    try:
        metadata = consumer.list_topics(topic, timeout=patience).topics[topic]
        open_partitions = set(metadata.partitions)
        if not open_partitions:
            raise TopicUnreadableError(f"Topic {topic} has no partition: was it created?")
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in open_partitions])
        while open_partitions:
            messages = consumer.consume(500, timeout=0.2)
            if not messages:
                patience -= 0.2
                if patience <= 0:
                    raise TopicUnreadableError(f"Topic {topic} fell silent before its end: is the broker up?")
            for message in messages:
                error = message.error()
                if error is None:
                    yield json.loads(message.value())
                elif error.code() == KafkaError._PARTITION_EOF:
                    open_partitions.discard(message.partition())
                else:
                    raise KafkaException(error)
    finally:
        consumer.close()
