OK_FORMAT = False

from otter.test_files import test_case

import turnarounds

name = "q2"
points = 2


@test_case(points=2)
def test_the_slowest_first(slowest):
    for number, n in ((0, 2), (1, 4)):
        turns = turnarounds.log(0, number)
        over = (turns.actual - turns.planned).groupby(turns.carrier).mean()
        assert slowest(turns, n) == over.sort_values(ascending=False).index[:n].tolist()
