"""The committed notebooks and templates are what the sources give, byte by byte."""

from flightschool.publish import check


def test_nothing_committed_differs_from_a_fresh_build() -> None:
    assert "\n".join(difference.sentence for difference in check()) == ""
