OK_FORMAT = False

from otter.test_files import test_case

import turnarounds

name = "q1"
points = 2


def alike(found, late, gates):
    wanted = late.groupby(gates).mean().to_dict()
    return found.keys() == wanted.keys() and all(abs(found[gate] - wanted[gate]) < 1e-6 for gate in wanted)


def results(late_share):
    for number in (0, 1):
        turns = turnarounds.log(0, number)
        late = turns.actual > turns.planned
        recorded = turns.actual.notna()
        found = late_share(turns)
        of_all = alike(found, late, turns.gate)
        of_recorded = alike(found, late[recorded], turns.gate[recorded])
        yield of_all, of_recorded


@test_case(points=1)
def test_a_share_of_something(late_share):
    given = list(results(late_share))
    assert all(of_all for of_all, _ in given) or all(of_recorded for _, of_recorded in given)


@test_case(points=1)
def test_a_share_of_those_recorded(late_share):
    assert all(of_recorded for _, of_recorded in results(late_share))
