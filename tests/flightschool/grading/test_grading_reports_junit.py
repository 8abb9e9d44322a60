"""grades.xml: elements and attributes that Jenkins' junit-10.xsd allows, and what GitLab's parser reads."""

import re
from collections import Counter
from xml.etree import ElementTree

import pytest
from graded import everyone, failed, honest, hostile, of, refused, result

from flightschool.grading.reports import junit

# As in src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd of jenkinsci/xunit-plugin.
ALLOWED = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set(), {"testsuite"}),
    "testsuite": (
        {
            "name",
            "tests",
            "failures",
            "errors",
            "group",
            "time",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
        },
        {"name", "tests", "failures", "errors"},
        {"testcase"},
    ),
    "testcase": ({"name", "time", "classname", "group"}, {"name"}, {"failure", "error", "skipped"}),
    "failure": ({"type", "message"}, set(), set()),
    "error": ({"type", "message"}, set(), set()),
    "skipped": ({"type", "message"}, set(), set()),
}
TIME = re.compile(r"[0-9]+(\.[0-9]*)?")


def read(*results):
    text = "".join(junit.grades(of(*results), {}))
    return ElementTree.fromstring(text.encode())


@pytest.fixture(scope="module")
def tree():
    return ElementTree.fromstring("".join(junit.grades(everyone(), {"amelia": "Amélie O'Brien"})).encode())


def test_only_what_the_schema_allows_is_in_it(tree):
    for element in tree.iter():
        allowed, required, children = ALLOWED[element.tag]
        assert required <= set(element.keys()) <= allowed
        assert {child.tag for child in element} <= children
        assert TIME.fullmatch(element.get("time", "0"))


def test_the_counts_are_those_of_the_cases(tree):
    for suite in tree:
        found = Counter(child.tag for case in suite for child in case)
        assert int(suite.get("tests")) == len(suite)
        assert {name: int(suite.get(name)) for name in ("failures", "errors", "skipped")} == {
            "failures": found["failure"], "errors": found["error"], "skipped": found["skipped"],
        }  # fmt: skip
    for name in ("tests", "failures", "errors"):
        assert int(tree.get(name)) == sum(int(suite.get(name)) for suite in tree)


def test_each_outcome_has_its_element():
    (suite,) = read(honest())
    assert [[(child.tag, child.get("type")) for child in case] for case in suite] == [
        [], [("failure", "partly")], [("failure", "failed")], [("skipped", "not_attempted")], [("error", "error")],
        [("error", "timed_out")],
    ]  # fmt: skip
    partly = suite[1][0]
    assert "2 of 3 points, 67" in partly.get("message")
    assert "Two of three logs agree" in partly.text, "GitLab shows the text, not the message"
    assert read(hostile())[0][2][0].get("type") == "out_of_memory"


def test_what_could_not_be_graded_is_not_green():
    for one, kind in ((refused(), "refused"), (failed(), "failed")):
        (suite,) = read(one)
        assert (suite[0].get("name"), suite[0][0].tag, suite[0][0].get("type")) == (
            "submission",
            "error",
            kind,
        )
        assert int(suite.get("errors")) == 1


def test_no_two_cases_share_class_and_name():
    names = ["Anna", "anna", "anna ", "a.b", "a-b", "a\u202eb", "ab"]
    tree = read(*(result(name, honest().marks) for name in names))
    cases = [(case.get("classname"), case.get("name")) for case in tree.iter("testcase")]
    assert len(set(cases)) == len(cases)
    assert all(name.count(".") == 1 for name, _ in cases), "Jenkins makes a package of each dot"


def test_hostile_texts_are_text(tree):
    suite = tree[1]
    assert "<script>" in suite[0][0].text
    assert r"\x1b]0;owned\x07 ]]>" in suite[1][0].text
    assert len("".join(suite.itertext())) < 10_000
    assert tree[0].get("name") == "Amélie O'Brien"


def test_a_round_of_nobody_is_a_file():
    assert len(read()) == 0
