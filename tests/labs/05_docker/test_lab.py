"""The lab of module 05: the drill has its fault, does not tell it, and can be put right."""

import pytest

from flightschool.curriculum import load_lab_file
from flightschool.learn import Lab
from flightschool.paths import LABS

drill = load_lab_file(LABS / "05_docker", "drill")


@pytest.mark.parametrize("seed", [0, 7, 42])
def test_the_machines_differ_until_it_is_restored(seed):
    lab = Lab("05_docker", seed=seed)

    def said(machine):
        return (lab.workdir / "works" / machine / "run.log").read_text()

    drill.plant(lab)
    assert said("laptop") != said("ci")
    drill.restore(lab)
    assert said("laptop") == said("ci")


def test_the_page_does_not_tell_the_cause():
    lab = Lab("05_docker")
    page = repr(drill.plant(lab).card())
    assert drill.culprit(lab.world) not in page
    assert "pin" not in page.lower()
