"""What counts as late: one rule for every script that asks."""


def is_late(flight: dict[str, str], late_from: float) -> bool:
    """Whether a flight reached its gate so many minutes after schedule, or more."""
    return float(flight["arr_delay"]) >= late_from
