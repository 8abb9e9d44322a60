"""A small house with one module of two exercises, to publish from."""

from pathlib import Path

import pytest

from flightschool.publish import House

SOURCE = '''\
# %% [markdown]
# # 01 · A day at the airport
#
# You will count the late flights, 100 % of them. Braces {like this} are prose.

# %% tags=["parameters"]
seed = 0

# %%
flights = [3, 40, 16]

# %% exercise="q1"
# The flights that arrived more than 15 minutes late: a list of minutes.
late = ...
### BEGIN SOLUTION
late = [minutes for minutes in flights if minutes > 15]
### END SOLUTION

# %% check="q1"
print(late)


# %% exercise="q2"
def worst(minutes: list[int]) -> int:
    """The longest delay, in minutes."""
    ### BEGIN SOLUTION
    return max(minutes)
    ### END SOLUTION


# %% check="q2"
print(worst)

# %% [markdown]
# Well flown.
'''

EXERCISES = """\
from flightschool.curriculum import exercise
from flightschool.i18n import translations

_ = translations("01_sample")


@exercise("q1", title=_("The late flights"), points=2, hints=(_("Look at the minutes."), _("Compare with 15.")))
def late(answer, world):
    return list(answer)


@exercise("q2", title=_("The worst delay"), points=1, hints=(_("Look at the last row."), _("Think of max.")))
def worst(answer, world):
    return answer([1, 5])
"""

JUDGES = """\
from flightschool.curriculum import Verdict, judge
from flightschool.i18n import translations

_ = translations("01_sample")


@judge("q1")
def late(evidence, world):
    if evidence == [40, 16]:
        return Verdict.passed(_("You found both late flights."))
    return Verdict.failed(
        expected=_("two flights"), found=_("{n} flights").format(n=len(evidence)), try_next=_("Count again.")
    )
"""

TOOLING = """\
from flightschool.i18n import _


def greet(name):
    return _("Hello {name}").format(name=name), _("Your code here")
"""


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Sources of module 01_sample; nothing built yet."""
    root = tmp_path / "house"
    for path, text in {
        "solutions/01_sample.py": SOURCE,
        "labs/01_sample/exercises.py": EXERCISES,
        "labs/01_sample/judges.py": JUDGES,
        "src/flightschool/hello.py": TOOLING,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return House.at(root)
