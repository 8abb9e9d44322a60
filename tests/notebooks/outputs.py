"""What an executed notebook says."""

import nbformat

from flightschool.learn.display import VERDICT_MIME


def verdicts(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """The outcome of each exercise's last check, by exercise id."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if (verdict := output.get("data", {}).get(VERDICT_MIME)) is not None:
                found[verdict["exercise"]] = verdict["outcome"]
    return found


def complaints(notebook: nbformat.NotebookNode) -> list[str]:
    """Tracebacks and warnings among the outputs, which no reader should have to look at."""
    unwanted = ("Traceback (most recent call last)", "DeprecationWarning", "FutureWarning", "SyntaxWarning")
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.get("text", "") + "".join(output.get("data", {}).get("text/plain", ""))
            found += [f"{cell.id}: {text}" for word in unwanted if word in text]
            if output.output_type == "error":
                found.append(f"{cell.id}: {output.ename}: {output.evalue}")
    return found
