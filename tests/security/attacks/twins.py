"""The honest notebooks: of neighbours, who have solved all or one exercise, and of the twins that hostile ones are made from."""

import json
from pathlib import Path

from security.attacks.model import FILES, LIGHT, exercise_cell

ANSWERS: dict[str, dict[str, str]] = {
    LIGHT: {
        "q2": "def slowest(turns, n):\n    return sorted(turns.carrier.unique())[:n]\n\n\nslowest(turns, 3)"
    },
    FILES: {"q1": "def deliver(numbers, path):\n    path.write_text('no Parquet')"},
}
"""What a twin has answered wrongly."""
SOLVED = {LIGHT: ("q1",), FILES: ("drill",)}
"""What it has solved. The rest is as it was handed out, so that whatever more an attack gets is not its own."""


def released(course: Path, module: str) -> bytes:
    """What learners get."""
    return (course / "notebooks" / f"{module}.ipynb").read_bytes()


def whole(course: Path, module: str, token: str = "") -> bytes:
    """All exercises solved; with a token that nobody else may see."""
    page = json.loads((course / "build" / "solutions" / f"{module}.ipynb").read_bytes())
    page["cells"].append({"cell_type": "markdown", "id": "private", "metadata": {}, "source": token})
    first = exercise_cell(page, "q1")
    first["source"] = f"# {token}\n{''.join(first['source'])}"
    return json.dumps(page).encode()


def twin(course: Path, module: str) -> bytes:
    """Some exercises solved, one wrong, the rest untouched."""
    page, solution = json.loads(released(course, module)), json.loads(whole(course, module))
    for exercise in SOLVED[module]:
        exercise_cell(page, exercise)["source"] = exercise_cell(solution, exercise)["source"]
    for exercise, code in ANSWERS[module].items():
        exercise_cell(page, exercise)["source"] = code
    return json.dumps(page).encode()
