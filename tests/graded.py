"""A graded round to make reports from: an honest, a hostile, a refused and a failed submission, and a class beside them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from flightschool.curriculum import Outcome
from flightschool.grading.model import Mark, Result, Round

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=timezone(timedelta(hours=1)))
EXERCISES = {
    "q1": ("The on-time report for a day", 2),
    "q2": ("A value-stream map from an event log", 3),
    "q3": ("Four delivery metrics and data downtime", 3),
    "q4": ("Which change caused it", 2),
    "q5": ("A report that can be run twice", 3),
    "drill": ("The board that showed yesterday", 4),
}
SECRET = "flights.groupby(by).size()  # my own code"

TRACEBACK = """Traceback (most recent call last):
  File "<cell>", line 3, in daily_report
    flights.groupby(by).agg(share=("on_time", "mean"))
KeyError: "Column(s) ['on_time'] do not exist\""""

MARKUP = "<script>document.title='owned'</script><img src=http://127.0.0.1:9/x onerror=alert(1)>"
HOSTILE_NAME = "=cmd|'/c calc'!A0\u202e\"><svg onload=alert(2)>\nPoints Possible"


def mark(exercise: str, outcome: Outcome, share: float = 0.0, **texts: str) -> Mark:
    """A mark for one of EXERCISES."""
    title, points = EXERCISES[exercise]
    return Mark(exercise=exercise, title=title, points=points, outcome=outcome, share=share, **texts)


def result(learner: str, marks: Sequence[Mark] = (), **more: object) -> Result:
    """A result of `learner`, whose notebook is called after them."""
    fields = {"file": f"{learner}.ipynb", "fingerprint": "0" * 64, "answers": {"q1": SECRET}} | more
    return Result(learner=learner, marks=tuple(marks), **fields)  # type: ignore[arg-type]


def of(*results: Result) -> Round:
    """A round of these results."""
    return Round(
        module="01_dataops_intro", title="Why DataOps", points=17, graded_at=NOON, results=tuple(results)
    )


def honest() -> Result:
    """All kinds of outcomes, a notice, a day and a quarter late."""
    return result(
        "amelia",
        (
            mark(
                "q1", Outcome.PASSED, 1, message="Cancelled and diverted flights are counted apart, on days that you had not seen."
            ),
            mark(
                "q2",
                Outcome.PARTLY,
                2 / 3,
                expected="For each step: how long a report is held, and how long somebody works on it.",
                found="Two of three logs agree. In the third, the bottleneck is the step that works longest.",
                try_next="From when to when is a report held by a step?",
            ),
            mark(
                "q3",
                Outcome.FAILED,
                expected="Data downtime in hours; an hour counts once.",
                found="Your downtime is 31.5 h where two incidents overlap; each of them is counted.",
                try_next="What of the second incident lies beyond the first?",
            ),
            mark("q4", Outcome.NOT_ATTEMPTED, message="There is nothing of yours to look at yet."),
            mark("q5", Outcome.ERROR, found=TRACEBACK, try_next="Look at the columns that reach agg."),
            mark("drill", Outcome.TIMED_OUT, found="The cell ran for 60 s and was stopped."),
        ),
        notices=("The check of q3 was missing; it was put back.",),
        received=NOON - timedelta(hours=2),
        days_late=1.25,
        kept=0.8,
        seconds=1.5,
    )  # fmt: skip


def hostile() -> Result:
    """Markup, terminal codes, texts that turn round, are not seen, have no end."""
    return result(
        HOSTILE_NAME,
        (
            mark(
                "q1",
                Outcome.FAILED,
                message="{{ page }}</style></title></body></html>",
                found=MARKUP,
                expected="\u202egnp.exe\u202c zero\u200bwidth Z" + "\u0301" * 80,
                try_next="javascript:alert(1) http://evil.example/",
            ),
            mark(
                "q2",
                Outcome.ERROR,
                found="A" * 1_000_000,
                expected="\n" * 5_000 + "end",
                try_next="\0\x01\x7f\x9b31m\x1b]0;owned\x07 ]]> \ufffe",
            ),
            mark("q3", Outcome.OUT_OF_MEMORY, found="3 of 3 points, passed ✓"),
        ),
        file="../../etc/passwd\n",
        notices=(MARKUP, "\x1b[2J\x1b[31mred", "{{ 7*7 }}"),
        received=NOON.astimezone(UTC),
    )


def refused() -> Result:
    """Nothing of it could be graded."""
    return result(
        "bela", (mark("q1", Outcome.NOT_ATTEMPTED),), refused="The archive has no notebook in it.", answers={}
    )


def failed() -> Result:
    """The grader itself could not do it."""
    return result("chiara", failure="The worker was lost: no room is left on its disk.", answers={})


def everyone(others: int = 12) -> Round:
    """All four, and some others who passed more or less of it."""
    outcomes = (Outcome.PASSED, Outcome.FAILED, Outcome.PASSED, Outcome.PARTLY, Outcome.NOT_ATTEMPTED)
    shares = {Outcome.PASSED: 1.0, Outcome.PARTLY: 0.5}
    more = []
    for number in range(others):
        chosen = [outcomes[(number * 3 + place) % len(outcomes)] for place in range(len(EXERCISES))]
        marks = [mark(id, one, shares.get(one, 0.0)) for id, one in zip(EXERCISES, chosen, strict=True)]
        more.append(result(f"learner{number:02d}", marks))
    return of(honest(), hostile(), refused(), failed(), *more)
