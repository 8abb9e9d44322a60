"""What a run may be given, and what of it nobody may see."""

from typing import Any

import nbformat
import pytest
from papermill.translators import translate_parameters

from flightschool.engine.parameters import (
    HIDDEN,
    Secrets,
    UnknownParameters,
    assigned,
    looks_secret,
    refuse_unknown,
)


def notebook(source: str | None, passed: dict[str, Any], **metadata: Any) -> Any:
    """A notebook as papermill hands it to an engine."""
    cells = []
    if source is not None:
        cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]}))
    injected = translate_parameters("python3", "python", passed, "Parameters")
    cells.append(nbformat.v4.new_code_cell(injected, metadata={"tags": ["injected-parameters"]}))
    made = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    made.metadata["papermill"] = nbformat.from_dict({"parameters": passed})
    return made


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("seed = 0", {"seed"}),
        ("a, (b, *c) = 1, (2, 3)\nd = e = 4", {"a", "b", "c", "d", "e"}),
        ("day: str = '2013-02-08'\nother: int", {"day", "other"}),
        ("%matplotlib inline\n!ls\nseed = 0  # type: int", {"seed"}),
        ("def f():\n    inner = 1\n", set()),
        ("this is no Python", set()),
    ],
)
def test_what_a_parameters_cell_assigns(source: str, names: set[str]) -> None:
    assert assigned(source) == names


def test_unknown_parameters_are_refused_in_one_sentence() -> None:
    refuse_unknown(notebook("seed = 0", {"seed": 7}))
    refuse_unknown(notebook(None, {}))
    with pytest.raises(UnknownParameters, match="no parameter sede: choose from day, seed") as raised:
        refuse_unknown(notebook("seed = 0\nday = 1", {"sede": 7, "day": 2}))
    assert "\n" not in raised.value.format_message()
    with pytest.raises(UnknownParameters, match="no cell tagged `parameters`"):
        refuse_unknown(notebook(None, {"seed": 7}))
    with pytest.raises(UnknownParameters, match="assigns none"):
        refuse_unknown(notebook("# nothing", {"seed": 7}))


@pytest.mark.parametrize(
    "name",
    ["secret_seed", "db_password", "API_KEY", "apiKey", "aws_access_key_id", "github_token", "credentials"],
)
def test_names_that_look_secret(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name", ["seed", "key", "tokenizer", "secretary", "primary_key", "keyboard", "n_tokenised"]
)
def test_names_that_do_not(name: str) -> None:
    assert not looks_secret(name)


def test_a_secret_leaves_cells_and_metadata_but_is_executed() -> None:
    made = notebook("seed = 0\nsecret_key = ''", {"seed": 7, "secret_key": "hunter-22"})
    hidden = Secrets(made)
    assert hidden
    assert "hunter-22" not in nbformat.writes(made)
    assert made.metadata.papermill.parameters == {"seed": 7, "secret_key": HIDDEN}
    assert "seed = 7" in made.cells[1].source
    assert "hunter-22" in hidden.code(made.cells[1])
    assert hidden.code(made.cells[0]) == made.cells[0].source


def test_secrets_by_metadata_and_by_option() -> None:
    passed = {"door": "open sesame", "answer": "forty-two", "free": "for all"}
    listed = notebook("door = answer = free = ''", passed, flightschool={"secrets": ["door"]})
    hidden = Secrets(listed, also=["answer"])
    text = nbformat.writes(listed)
    assert hidden
    assert "sesame" not in text
    assert "forty-two" not in text
    assert "for all" in text


@pytest.mark.parametrize("broken", ["door", 3, {"door": 1}, [3, None]])
def test_broken_metadata_name_no_secrets(broken: object) -> None:
    assert not Secrets(notebook("door = ''", {"door": "open sesame"}, flightschool={"secrets": broken}))


def test_outputs_are_scrubbed_at_any_depth_and_in_the_usual_forms() -> None:
    value = 'p@ss "wörd" <1>\\'
    made = notebook("password = ''", {"password": {"inner": [value, 123456]}})
    hidden = Secrets(made)
    import base64
    import html
    import json
    from urllib.parse import quote

    forms = [
        value,
        repr(value),
        json.dumps(value),
        html.escape(value),
        quote(value, safe=""),
        base64.b64encode(value.encode()).decode(),
        f"Error: {value}!",
        "123456",
    ]
    output = {
        "data": {"text/plain": "\n".join(forms), "application/json": {value: [forms, 123456, 7, True, None]}}
    }
    text = json.dumps(hidden.scrub(output), ensure_ascii=False)
    for form in forms[1:-2]:
        assert form.strip("'\"") not in text
    assert "123456" not in text
    assert output["data"]["application/json"][HIDDEN][2:] == [7, True, None]


def test_without_secrets_nothing_is_touched() -> None:
    made = notebook("seed = 0", {"seed": 7})
    before = nbformat.writes(made)
    hidden = Secrets(made)
    assert not hidden
    assert nbformat.writes(made) == before
    assert hidden.scrub("7") == "7"
