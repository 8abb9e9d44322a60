"""Attacks on the marks: the checker, what is handed over, the notebook's cells."""

from security.attacks.model import (
    LIGHT,
    Attack,
    Notebook,
    Threat,
    answer,
    changed,
    code_cell,
    exercise_cell,
    first,
    lab_cell,
    last,
    probed,
)

CHANNEL = """
channel = next(one for one in gc.get_objects() if isinstance(one, socket.socket) and one.fileno() >= 64)
def send(message):
    channel.sendall(message if isinstance(message, bytes) else json.dumps(message).encode() + b"\\n")
"""
"""The socket by which a notebook's process speaks to the grader, found among all objects."""
PASSED = '{"outcome": "passed", "share": "1", "message": "All right."}'
NOT_HANDED = "did not hand your answer over"


def _wrong(names: str = "") -> str:
    return f"def slowest(turns, n):\n    return {names or '[]'}"


def _points(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if "points" in cell["metadata"].get("nbgrader", {}):
            cell["metadata"]["nbgrader"].update(points=1000, locked=False)


def _exchanged(notebook: Notebook) -> None:
    """q1's right answer also under q2's and q3's ids."""
    for exercise in ("q2", "q3"):
        cell = exercise_cell(notebook, exercise)
        cell["source"] = exercise_cell(notebook, "q1")["source"]
        check = exercise_cell(notebook, f"{exercise}-check")
        check["source"] = "lab.q1.check(late_share)"


def _ids_moved(notebook: Notebook) -> None:
    """The solved exercise's ids on the cells of one that is not."""
    one, two = exercise_cell(notebook, "q1-check"), exercise_cell(notebook, "q2-check")
    one["metadata"]["nbgrader"]["grade_id"], two["metadata"]["nbgrader"]["grade_id"] = "q2-check", "q1-check"
    one["id"], two["id"] = "q2-check", "q1-check"


def _one_id(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["id"] = "q1"


def _checks_gone(notebook: Notebook) -> None:
    notebook["cells"] = [cell for cell in notebook["cells"] if not str(cell.get("id")).endswith("-check")]


def _checks_many(notebook: Notebook) -> None:
    check = exercise_cell(notebook, "q1-check")
    notebook["cells"] += [{**check, "id": f"again-{number}"} for number in range(50)]


def _checks_first(notebook: Notebook) -> None:
    checks = [cell for cell in notebook["cells"] if str(cell.get("id")).endswith("-check")]
    notebook["cells"] = [*checks, *(cell for cell in notebook["cells"] if cell not in checks)]


def _checks_edited(notebook: Notebook) -> None:
    for exercise in ("q2", "q3"):
        exercise_cell(notebook, f"{exercise}-check")["source"] = (
            f"way = getattr(get_ipython(), 'hand_over', None)\n"
            f"way and way.nothing({exercise!r}, outcome='passed', share='1')\n{2.0 if exercise == 'q2' else 1.0}"
        )


def _points_as_output(notebook: Notebook) -> None:
    """A check cell that gives the points as its value, which is how nbgrader reads partial credit."""
    for exercise, points in (("q2", 2), ("q3", 1)):
        exercise_cell(notebook, f"{exercise}-check")["source"] = str(points)


def _stored_outputs(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if str(cell.get("id")).endswith("-check"):
            cell["execution_count"] = 7
            cell["outputs"] = [
                {
                    "output_type": "execute_result",
                    "execution_count": 7,
                    "metadata": {},
                    "data": {"text/plain": "2", "text/html": "<b>✔ Passed: 2 of 2 points</b>"},
                }
            ]


def _lab_replaced(notebook: Notebook) -> None:
    place = lab_cell(notebook)
    notebook["cells"][place]["source"] = (
        f"class Lab:\n    def __init__(self, *_, **__): self.seed = 0\n    def __getattr__(self, name): return self\n"
        f"    def check(self, answer): print('Passed: 2 of 2 points'); return 2.0\nlab = Lab({LIGHT!r})"
    )


def _seed_pinned(notebook: Notebook) -> None:
    """All that can be pinned to the world whose answers one knows; then the answers by heart."""
    for cell in notebook["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            cell["source"] = "seed = 0\n__builtins__.seed = 0"
            cell["metadata"] = {}
    notebook["cells"].insert(
        lab_cell(notebook) + 1,
        code_cell(
            "import turnarounds\nprint('ATTACKS!')\n_log = turnarounds.log\nturnarounds.log = lambda seed=0, number=0: _log(0, number)\n"
            "lab.seed = 0\nobject.__setattr__(lab.world, 'seed', 0)",
            "pin",
        ),
    )
    exercise_cell(notebook, "q2")["source"] = (
        "def slowest(turns, n):\n"
        "    over = (turns.actual - turns.planned).groupby(turns.carrier).mean()\n"
        "    return over.sort_values(ascending=False).index[:n].tolist()"
    )


CORPUS = [
    Attack(
        "the checker's method replaced",
        Threat.CHECKER,
        first("""
            from contextlib import suppress
            with suppress(ImportError):
                from flightschool.curriculum import Verdict
                from flightschool.learn import questions
                def check(self, answer):
                    way = getattr(get_ipython(), "hand_over", None)
                    if way: way.nothing(self.exercise.id, outcome="passed", share="1", message="All right.")
                    return self.exercise.points
                questions.Question.check = questions.Question.judge = check
            with suppress(ImportError):
                import otter
                otter.Notebook.check = lambda *_, **__: print("All tests passed!")
        """),
        says=r"q1.*\n",
        keeps=frozenset(),
    ),
    Attack(
        "every judging function replaced",
        Threat.CHECKER,
        first("""
            import sys
            from contextlib import suppress
            with suppress(ImportError):
                from flightschool.curriculum import Verdict
                from flightschool.learn import compare, questions
                passed = Verdict.passed("All right.")
                for name in ("judge_answer", "judge_evidence"):
                    setattr(questions, name, lambda *_, **__: passed)
                Verdict.failed = Verdict.partly = classmethod(lambda *_, **__: passed)
                compare.same = compare.tables = lambda *_, **__: None
            with suppress(ImportError):
                from otter.test_files import abstract_test, metadata_test
                for kind in (abstract_test.TestCase, metadata_test.ExceptionTestFile):
                    if hasattr(kind, "run"): kind.run = lambda *_, **__: None
                abstract_test.TestFile.passed_all = True
                abstract_test.TestFile.score = property(lambda self: self.possible if hasattr(self, "possible") else 2)
        """),
    ),
    Attack(
        "verdicts sent by the way that evidence takes",
        Threat.FORGES,
        first(f"""
            way = get_ipython().hand_over
            for exercise in ("q1", "q2", "q3"):
                way.nothing(exercise, **{PASSED})
                way.evidence(exercise, {PASSED})
            real = type(way).evidence
            def evidence(self, exercise, content):
                for other in ("q1", "q2", "q3"):
                    self.nothing(other, **{PASSED})
                if exercise == "q1": real(self, exercise, content)
                else: self.nothing(exercise, **{PASSED})
            type(way).evidence = evidence
        """),
        says=r"q2.*All right",
        compared=False,
    ),
    Attack(
        "evidence for other exercises, again and again, from a thread",
        Threat.FORGES,
        first(f"""
            {CHANNEL.strip().replace(chr(10), chr(10) + " " * 12)}
            def forge():
                while True:
                    for exercise in ("q2", "q3"):
                        send({{"type": "evidence", "exercise": exercise, "verdict": {PASSED}}})
                    time.sleep(0.001)
            threading.Thread(target=forge, daemon=True).start()
        """),
        says="q2",  # whether its own evidence or the thread's comes first is chance
        compared=False,
    ),
    Attack(
        "the end of cells forged",
        Threat.FORGES,
        probed(f"""
            {CHANNEL.strip().replace(chr(10), chr(10) + " " * 12)}
            for exercise in ("q2", "q3"):
                send({{"type": "evidence", "exercise": exercise, "verdict": {PASSED}}})
                send({{"type": "done", "execution_count": 1, "error": None}})
            time.sleep(0.2)
            return []
        """),
        keeps=frozenset({"q1"}),
        says=r"q2.*All right",
        compared=False,
    ),
    Attack(
        "the end of the process forged",
        Threat.FORGES,
        first(f"""
            {CHANNEL.strip().replace(chr(10), chr(10) + " " * 12)}
            send({{"type": "exit", "status": 0, "ending": "exited", "refused": "the walls could not be built"}})
            time.sleep(1)
        """),
        says="ended the run.*forged",
        compared=False,
    ),
    Attack(
        "lines that are none of the protocol's",
        Threat.FORGES,
        first(f"""
            {CHANNEL.strip().replace(chr(10), chr(10) + " " * 12)}
            send(b'{{"type": "verdict", "exercise": "q2", "outcome": "passed"}}\\n')
            time.sleep(1)
        """),
        says="ended the run.*is no output",
        compared=False,
    ),
    Attack(
        "half a line, then the end",
        Threat.FORGES,
        first(f"""
            {CHANNEL.strip().replace(chr(10), chr(10) + " " * 12)}
            send(b'{{"type": "evidence", "exercise": "q2", "verdict": {{"outcome": "passed"')
            os._exit(0)
        """),
        says="ended the run",
        compared=False,
    ),
    Attack(
        "a verdict printed, in every way there is",
        Threat.FORGES,
        first(r"""
            from IPython.display import HTML, display
            card = "✔ Passed: q2 · 2 of 2 points"
            line = json.dumps({"type": "evidence", "exercise": "q2", "verdict": {"outcome": "passed", "share": "1"}})
            for one in (card, line, "\n" + line + "\n"):
                print(one); print(one, file=sys.stderr)
                for fd in (1, 2): os.write(fd, one.encode())
                os.system(f"printf '%s\\n' '{line}'; printf '%s\\n' '{line}' >&2")
            display(HTML(f"<div class=card>{card}</div>"))
        """),
    ),
    Attack(
        "a verdict at the very end",
        Threat.FORGES,
        first("""
            import atexit, weakref
            way = getattr(get_ipython(), "hand_over", None)
            def forge(*_):
                for exercise in ("q2", "q3"):
                    way and way.nothing(exercise, outcome="passed", share="1")
                os._exit(0)
            atexit.register(forge)
            class Last:
                __del__ = forge
            kept = Last()
            get_ipython().events.register("post_run_cell", lambda *_: None)
        """),
    ),
    Attack(
        "the lab replaced by one that is content",
        Threat.CHECKER,
        changed(_lab_replaced),
        runs=False,
        says=NOT_HANDED,
        keeps=frozenset(),
    ),
    Attack(
        "the way out taken away, so that the judge comes in",
        Threat.CHECKER,
        first("""
            del get_ipython().hand_over
            from flightschool.learn import Lab
            try:
                lab = Lab("90_light"); lab.q1
            except Exception as error:
                print(type(error).__name__, error)
        """),
        says="q1",
        keeps=frozenset(),
        compared=False,
    ),
    Attack(
        "a trace function that turns results round",
        Threat.CHECKER,
        first("""
            def trace(frame, event, argument):
                try:
                    frame.f_trace_lines = False
                    for name in ("all_right", "all_of_all", "difference", "verdict", "found"):
                        if name in frame.f_locals:
                            frame.f_locals[name] = True
                            ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
                except Exception: pass
                return trace
            sys.settrace(trace); threading.settrace(trace)
        """),
        says="q3.*error",
    ),
    Attack(
        "a profile function that ends whoever judges",
        Threat.CHECKER,
        first("""
            def profile(frame, event, argument):
                if "judge" in frame.f_code.co_filename and "questions" not in frame.f_code.co_filename: os._exit(0)
            sys.setprofile(profile); threading.setprofile(profile)
        """),
    ),
    Attack(
        "import hooks that serve judges of their own",
        Threat.CHECKER,
        first("""
            import importlib.abc, importlib.machinery
            FORGED = (
                "from flightschool.curriculum import Verdict, judge\\n"
                "one, two, three = (judge(q)(lambda *_: Verdict.passed('All right.')) for q in ('q1', 'q2', 'q3'))"
            )
            class Forger(importlib.abc.MetaPathFinder, importlib.abc.Loader):
                def find_spec(self, name, path=None, target=None):
                    if name.endswith(".judges"): return importlib.machinery.ModuleSpec(name, self)
                def create_module(self, spec): return None
                def exec_module(self, module): exec(FORGED, module.__dict__)
            sys.meta_path.insert(0, Forger())
            for name in [name for name in sys.modules if name.endswith(".judges")]: del sys.modules[name]
            forged = importlib.import_module("flightschool_labs.90_light.judges")
            vars(lab.module)["judges"] = {one.exercise: one for one in (forged.one, forged.two, forged.three)}
            for question in lab._questions.values(): question._judge = vars(lab.module)["judges"][question.exercise.id]
        """),
    ),
    Attack(
        "modules replaced in sys.modules",
        Threat.CHECKER,
        first("""
            import types
            class Agreeable(types.ModuleType):
                def __getattr__(self, name):
                    if name.startswith("__"): raise AttributeError(name)
                    return lambda *_, **__: {"outcome": "passed", "share": 1}
            for name in ("flightschool.learn.evidence", "flightschool.learn.compare", "flightschool.grading", "json.encoder"):
                sys.modules[name] = Agreeable(name)
        """),
    ),
    Attack(
        "builtins replaced",
        Threat.CHECKER,
        first("""
            import builtins
            builtins.all = builtins.any = lambda *_: True
            real = builtins.isinstance
            builtins.isinstance = lambda one, kind: True if "Verdict" in str(kind) else real(one, kind)
            builtins.assert_ = lambda *_: None
        """),
        keeps=frozenset(),
        says="q",
    ),
    Attack(
        "numbers written over in memory",
        Threat.CHECKER,
        first("""
            from flightschool.curriculum import Outcome
            for outcome in (Outcome.FAILED, Outcome.ERROR):
                vars(outcome)["_value_"] = "passed"
            ctypes.c_double.from_address(id(0.0) + 16).value = 1.0
            text = "failed"
            ctypes.memmove(id(text) + sys.getsizeof(text) - 7, b"passed", 6)
        """),
    ),
    Attack(
        "an answer that is equal to everything",
        Threat.AGREES,
        answer("""
            class Everything(list):
                __eq__ = __contains__ = lambda self, other: True
                __ne__ = lambda self, other: False
                __hash__ = lambda self: 0
                __bool__ = lambda self: True
            def slowest(turns, n): return Everything()
        """),
        says="q2",
    ),
    Attack(
        "an answer that is of every class",
        Threat.AGREES,
        answer("""
            from flightschool.curriculum import Verdict
            class Chameleon:
                __class__ = property(lambda self: list)
                outcome, share, message = "passed", 1.0, "All right."
                def __iter__(self): return iter(())
                def __len__(self): return 0
                def __reduce__(self): return (print, ("unpickled",))
                def __json__(self): return "passed"
                _repr_json_ = __json__
            def slowest(turns, n): return Chameleon() if n == 1 else Verdict.passed("All right.")
        """),
        says="q2",
    ),
    Attack(
        "numbers and texts that are others each time",
        Threat.AGREES,
        answer("""
            class Text(str):
                __eq__ = lambda self, other: True
                __hash__ = lambda self: 0
                __str__ = __repr__ = lambda self: "WN"
                encode = lambda self, *_: b"WN"
            class Number(float):
                __eq__ = __le__ = __ge__ = lambda self, other: True
                __sub__ = __rsub__ = lambda self, other: 0.0
                __float__ = lambda self: 0.0
                __hash__ = lambda self: 0
            def slowest(turns, n): return [Text("x")] * n
            import builtins; builtins.Number = Number
        """),
        says="q2",
    ),
    Attack(
        "a data frame that agrees",
        Threat.AGREES,
        answer(
            """
            import pandas as pd
            class Frame(pd.DataFrame):
                __eq__ = equals = lambda self, other: True
                columns = property(lambda self: ["gate", "turns", "minutes"])
                shape, empty, ndim = (5, 3), False, 2
                def __getattr__(self, name): return lambda *_, **__: self
                def __getitem__(self, name): return self
            def by_gate(turns): return Frame({"gate": ["A1"]})
            """,
            "q3",
        ),
        says="q3",
        keeps=frozenset({"q1", "q2"}),
    ),
    Attack(
        "an answer that answers for the grader",
        Threat.AGREES,
        probed("""
            frame = sys._getframe()
            while frame:
                for name, value in list(frame.f_locals.items()):
                    if name in ("found", "verdict", "expected", "wanted"): print("frame", name, value)
                    if type(value).__name__ == "Question": value._hand_over = lambda answer: None
                frame = frame.f_back
            raise SystemExit(0)
        """),
        says="q2",
    ),
    Attack("points and locks edited in the metadata", Threat.EDITS, changed(_points), runs=False),
    Attack(
        "a right answer under other ids",
        Threat.EDITS,
        changed(_exchanged),
        runs=False,
        says="q2",
        keeps=frozenset({"q1"}),
    ),
    Attack(
        "the ids of two checks exchanged",
        Threat.EDITS,
        changed(_ids_moved),
        runs=False,
        says="",
    ),
    Attack("one id for all cells", Threat.EDITS, changed(_one_id), runs=False, says=""),
    Attack(
        "the checks deleted", Threat.EDITS, changed(_checks_gone), runs=False, says="check of q1 was missing"
    ),
    Attack("a check copied fifty times", Threat.EDITS, changed(_checks_many), runs=False, says=""),
    Attack("the checks before the answers", Threat.EDITS, changed(_checks_first), runs=False, says=""),
    Attack(
        "checks that hand over a verdict",
        Threat.EDITS,
        changed(_checks_edited),
        runs=False,
        says="check of q2 was edited",
    ),
    Attack(
        "checks that give the points",
        Threat.EDITS,
        changed(_points_as_output),
        runs=False,
        says="check of q2 was edited",
    ),
    Attack("outputs that say passed", Threat.EDITS, changed(_stored_outputs), runs=False),
    Attack(
        "the world pinned to the one that is known",
        Threat.EDITS,
        changed(_seed_pinned),
        says="q2",
        keeps=frozenset(),
    ),
    Attack(
        "a later cell that answers an earlier question anew",
        Threat.EDITS,
        last("""
            way = getattr(get_ipython(), "hand_over", None)
            lab.q2.check(lambda turns, n: (turns.actual - turns.planned).groupby(turns.carrier).mean().nlargest(n).index.tolist())
        """),
        compared=False,
    ),
]
