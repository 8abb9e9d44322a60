OK_FORMAT = False

from otter.test_files import test_case

import turnarounds

name = "q3"
points = 1


@test_case(points=1)
def test_every_turnaround_counts(by_gate):
    for number in (0, 1):
        turns = turnarounds.log(0, number)
        wanted = turns.groupby("gate").agg(turns=("gate", "size"), minutes=("actual", "sum"))
        found = by_gate(turns)
        found = found if found.index.name == "gate" else found.set_index("gate")
        found = found[["turns", "minutes"]].sort_index()
        assert found.index.tolist() == wanted.index.tolist()
        assert ((found - wanted).abs() < 1e-6).all().all()
