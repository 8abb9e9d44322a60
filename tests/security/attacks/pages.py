"""Attacks on whoever reads the feedback, the overview and the tables, by what a notebook says."""

from security.attacks.model import (
    Attack,
    Notebook,
    Threat,
    answer,
    changed,
    code_cell,
    exercise_cell,
    first,
    lab_cell,
    probed,
)

MARKUP = "</p></style></title><script>alert(4711080)</script><img src=http://127.0.0.1:9/4711080 onerror=alert(4711080)>"
TERMINAL = "\\x1b]0;4711080\\x07\\x1b[2J\\x9b31m\\u202e\\u2066\\x00\\ufffe]]>"
FORMULA = "=HYPERLINK(4711080)"


def _metadata(page: Notebook) -> None:
    page["metadata"] |= {
        "kernelspec": {"name": MARKUP, "display_name": MARKUP, "language": f"{FORMULA}\x1b[31m"},
        "language_info": {"name": MARKUP, "file_extension": "/../../4711080"},
        "title": MARKUP,
        "authors": [{"name": MARKUP}],
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": MARKUP}},
    }
    for cell in page["cells"]:
        cell["metadata"] |= {"name": MARKUP, "tags": [*cell["metadata"].get("tags", []), MARKUP]}
        if cell["cell_type"] == "markdown":
            cell["source"] = f"{''.join(cell['source'])}\n\n{MARKUP}"


def _ending_cell(page: Notebook) -> None:
    """The feedback quotes the cell that ended the run."""
    page["cells"].insert(
        lab_cell(page) + 1,
        code_cell(
            f"print('ATTACKS!', flush=True); '{MARKUP}'; import os; os._exit(0)  # {{{{ 7*7 }}}}", "attack"
        ),
    )
    page["cells"].insert(
        lab_cell(page) + 1, code_cell(f"'{MARKUP}'; import os; os._exit(0)  #\x1b[31m\u202e\x07", "second")
    )


def _similar(page: Notebook) -> None:
    """Answers that take a measure of similarity long."""
    lines = "\n".join(f"    x{number} = {number} + 1" for number in range(60_000))
    exercise_cell(page, "q2")["source"] = f"def slowest(turns, n):\n    return []\n{lines}"
    exercise_cell(page, "q3")["source"] = (
        "def by_gate(turns): return (" + "(" * 150 + "0" + ")" * 150 + ")\n" + "#" * 2**21
    )


CORPUS = [
    Attack(
        "a script in all that is printed and shown",
        Threat.PAGES,
        first(f"""
            from IPython.display import HTML, Javascript, display
            print({MARKUP!r}); print("{TERMINAL}", file=sys.stderr)
            display(HTML({MARKUP!r})); display(Javascript("alert(4711080)"))
            display({{"text/html": {MARKUP!r}, "image/svg+xml": "<svg onload=alert(4711080)>", "application/4711080": {MARKUP!r}}}, raw=True)
        """),
    ),
    Attack(
        "a script in the message of an error",
        Threat.PAGES,
        probed(f"raise ValueError({MARKUP!r} + '{TERMINAL}' + {FORMULA!r})"),
        says="q2.*alert",
    ),
    Attack(
        "a script in the name of an error",
        Threat.PAGES,
        probed(f"raise type({MARKUP!r}, (Exception,), {{'__module__': {MARKUP!r}}})('{TERMINAL}')"),
        says="q2.*error",
    ),
    Attack(
        "a script in the name of what is returned",
        Threat.PAGES,
        probed(
            f"return type({MARKUP!r} + '{TERMINAL}'.replace(chr(0), ''), (), {{'__module__': {MARKUP!r}}})()"
        ),
        says="q2.*can't be read as an answer",
    ),
    Attack(
        "a script in the columns of a table",
        Threat.PAGES,
        answer(
            f"""
            def by_gate(turns):
                import pandas as pd
                return pd.DataFrame({{"gate": [{MARKUP!r}], {MARKUP!r}: ["{TERMINAL}"], {FORMULA!r}: [1], "turns": [0], "minutes": ["{TERMINAL}"]}})
            """,
            "q3",
        ),
        says="q3.*not yet",
        keeps=frozenset({"q1", "q2"}),
    ),
    Attack(
        "a script in what is said in the place of evidence",
        Threat.PAGES,
        first(f"""
            way = get_ipython().hand_over
            type(way).evidence = lambda self, exercise, content: self.nothing(exercise, outcome={MARKUP!r}, message={MARKUP!r}, found="{TERMINAL}", expected={FORMULA!r}, try_next="{{{{ 7*7 }}}}")
        """),
        says="q1.*alert",
        keeps=frozenset(),
        compared=False,
    ),
    Attack(
        "an error message of ten megabytes",
        Threat.PAGES,
        probed("raise ValueError('4711080 ' * 10 * 2**17)"),
        says="q2.*error",
    ),
    Attack(
        "an error whose message is an error, and one that takes for ever",
        Threat.PAGES,
        probed("""
            class Bad(Exception):
                def __str__(self): raise self
                __repr__ = __str__
            raise Bad
        """),
        says="q2.*error",
    ),
    Attack("a script in titles and metadata", Threat.PAGES, changed(_metadata), runs=False),
    Attack(
        "a script in cells that end the run",
        Threat.PAGES,
        changed(_ending_cell),
        says="ended the run.*alert",
    ),
    Attack(
        "answers that take a measure of similarity long",
        Threat.PAGES,
        changed(_similar),
        says="q2",
        keeps=frozenset({"q1"}),
        runs=False,
    ),
]
