"""The rules of the report: when a flight is on time, and how late is how late."""

ON_TIME_MINUTES = 15


def on_time(arr_delay: int | None) -> bool:
    """Whether a flight reached its gate less than 15 minutes late; one that never arrived did not."""
    return arr_delay is not None and arr_delay < ON_TIME_MINUTES


def delay_bucket(arr_delay: int | None) -> str:
    """`on_time`, `late_15`, `late_45`, `late_120` (minutes from which it begins), or `never`."""
    if arr_delay is None:
        return "never"
    if on_time(arr_delay):
        return "on_time"
    if arr_delay < 45:
        return "late_15"
    return "late_45" if arr_delay < 120 else "late_120"
