"""grades.json: as its published schema says, and nothing of the learners' code in it."""

import json
import re

import jsonschema
import pytest
from graded import SECRET, everyone, of

from flightschool import paths
from flightschool.grading.reports import records
from flightschool.grading.reports.records import Grades

PUBLISHED = paths.ROOT / "docs" / "grades.schema.json"


@pytest.fixture(scope="module")
def text():
    return "".join(records.grades(everyone(), {"amelia": "Amélie O'Brien"}))


@pytest.fixture(scope="module")
def schema():
    return json.loads(PUBLISHED.read_text(encoding="utf-8"))


def test_the_published_schema_is_the_one_of_the_code():
    assert PUBLISHED.read_text(encoding="utf-8") == records.schema(), (
        "run: .venv/bin/python -m flightschool.grading.reports"
    )


def test_the_schema_is_2020_12_and_every_field_that_needs_it_is_described(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["properties"]["version"]["const"] == records.VERSION
    for model in (schema, *schema["$defs"].values()):
        assert model.get("description")
        undescribed = [name for name, one in model.get("properties", {}).items() if "description" not in one]
        assert set(undescribed) <= {"title", "graded_at"}


def test_the_file_is_as_the_schema_says(text, schema):
    jsonschema.validate(json.loads(text), schema, jsonschema.Draft202012Validator)
    Grades.model_validate_json(text)
    jsonschema.validate(json.loads("".join(records.grades(of(), {}))), schema)


def test_a_wrong_file_is_not_as_the_schema_says(text, schema):
    wrong = json.loads(text)
    wrong["submissions"][0]["exercises"][0]["outcome"] = "great"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def test_it_says_what_came_of_each(text):
    found = json.loads(text)
    amelia, hostile, bela, chiara = found["submissions"][:4]
    assert (amelia["name"], amelia["earned"], amelia["points"], amelia["kept"]) == (
        "Amélie O'Brien",
        3.2,
        17,
        0.8,
    )
    assert amelia["exercises"][1]["earned"] == 2
    assert amelia["feedback"] == "feedback/amelia.html"
    assert len(hostile["exercises"][1]["found"]) == records.LONGEST
    assert (bela["status"], bela["earned"]) == ("refused", 0)
    assert (chiara["status"], chiara["earned"], chiara["exercises"]) == ("failed", None, [])
    assert chiara["reason"].startswith("The worker was lost")


def test_neither_code_nor_anything_that_a_terminal_obeys_is_in_it(text):
    assert SECRET not in text
    assert "answers" not in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u200b]", text)
    assert json.loads(text)["submissions"][1]["notices"][1] == "\x1b[2J\x1b[31mred", (
        "a program gets it exactly"
    )
