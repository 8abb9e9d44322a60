"""The pages and the whole: complete, escaped, safe to open, the same bytes each time, none left of an earlier round."""

import itertools
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from graded import HOSTILE_NAME, SECRET, everyone, failed, honest, mark, of, refused, result

from flightschool.curriculum import Outcome
from flightschool.errors import FlightSchoolError
from flightschool.grading.reports import feedback, overview, write
from flightschool.grading.reports.text import stem

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    write(everyone(), folder, names={"amelia": "Amélie O'Brien"})
    return folder


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def page_of(one, names=None) -> str:
    return "".join(feedback.page(one, of(one), names or {}))


def words(html: str) -> str:
    return " ".join(BeautifulSoup(html, "html.parser").get_text(" ").split())


def test_all_is_written_and_named(tmp_path):
    round = everyone(2)
    written = write(round, tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in written} == {
        "grades.csv", "grades-canvas.csv", "grades-moodle.csv", "grades.json", "grades.xml", "index.html",
        *(f"feedback/{stem(one.learner)}.html" for one in round.results),
    }  # fmt: skip
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(written), (
        "nothing half-written is left"
    )


def test_the_same_round_gives_the_same_bytes(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        write(everyone(), folder)
    for path in write(everyone(), first):
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes(), path.name


def test_pages_of_an_earlier_round_go_and_those_of_somebody_else_stay(tmp_path):
    write(of(honest(), refused()), tmp_path)
    mine = tmp_path / "feedback" / "mine.html"
    mine.write_text("<p>mine</p>")
    write(of(honest()), tmp_path)
    assert sorted(path.name for path in (tmp_path / "feedback").iterdir()) == ["amelia.html", "mine.html"]


def test_a_symlink_is_replaced_and_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "grades.csv").symlink_to(victim)
    write(of(honest()), tmp_path / "out")
    assert victim.read_text() == "precious"


def test_two_results_of_one_learner_are_an_error(tmp_path):
    with pytest.raises(ValueError, match="amelia"):
        write(of(honest(), honest()), tmp_path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FlightSchoolError):
        write(of(honest()), tmp_path / "file")


def test_a_round_of_nobody_has_an_overview(tmp_path):
    write(of(), tmp_path)
    assert "Learners: 0." in words((tmp_path / "index.html").read_text(encoding="utf-8"))


def test_every_page_is_self_contained_and_says_so_to_the_browser(out):
    for path in out.rglob("*.html"):
        page = soup(path)
        policy = page.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
        assert policy.startswith(POLICY)
        assert page.html["lang"] == "en"
        assert not page.find_all(
            ["script", "iframe", "object", "embed", "form", "img", "base", "audio", "video"]
        )
        assert all(not name.startswith("on") for tag in page.find_all(True) for name in tag.attrs)
        links = [tag["href"] for tag in page.find_all(href=True)]
        assert all(re.fullmatch(r"#[a-z0-9-]+|feedback/[a-z0-9_-]+\.html|data:,", link) for link in links)
        assert not re.search(r"url\(|@import", page.style.string)


def test_every_page_can_be_walked_by_a_screen_reader(out):
    for path in out.rglob("*.html"):
        page = soup(path)
        assert [len(page.find_all(name)) for name in ("header", "main", "footer", "h1", "title")] == [1] * 5
        levels = [int(tag.name[1]) for tag in page.find_all(re.compile("^h[1-6]$"))]
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        assert all(tag.get("scope") in ("col", "row") for tag in page.find_all("th"))
        ids = [tag["id"] for tag in page.find_all(id=True)]
        assert len(ids) == len(set(ids))
        named = [tag["aria-labelledby"] for tag in page.find_all(attrs={"aria-labelledby": True})]
        assert set(named) <= set(ids)
        assert {link["href"][1:] for link in page.find_all(href=re.compile("^#"))} <= set(ids)
        assert all(tag.get("aria-labelledby") for tag in page.find_all(["section", "table", "svg"]))


def test_every_link_of_the_overview_leads_to_a_page(out):
    links = {tag["href"] for tag in soup(out / "index.html").find_all("a")}
    assert {f"feedback/{path.name}" for path in (out / "feedback").iterdir()} == links


def test_a_learner_reads_what_happened():
    text = words(page_of(honest(), {"amelia": "Amélie O'Brien"}))
    for part in (
        "01 · Why DataOps", "Amélie O'Brien", "3.2 of 17 points", "Handed in on 2026-03-02 10:00 +01:00, 1 d 6 h after the deadline.",
        "That leaves 80 % of the points: 4 became 3.2.", "The check of q3 was missing; it was put back.",
        "q2 · A value-stream map from an event log", "partly · 2 of 3 points",
        "What happened Two of three logs agree.", "What was asked For each step", "Try next From when to when",
        "✓ passed", "✗ not yet", "○ not attempted yet", "! your code raised an error", "◷ took too long",
    ):  # fmt: skip
        assert part in text, part


def test_a_learner_in_time_reads_nothing_of_a_penalty():
    text = words(page_of(honest().model_copy(update={"days_late": 0.0, "kept": 1.0})))
    assert "deadline" not in text
    assert "4 of 17 points" in text


def test_who_could_not_be_graded_reads_why():
    assert "could not be graded, so it counts as not attempted. The archive has no notebook in it." in words(
        page_of(refused())
    )
    text = words(page_of(failed()))
    assert "No mark yet" in text
    assert "It is no fault of yours" in text
    assert "0 of 17" not in text


def test_nobodys_code_is_on_any_page_or_in_any_file(out):
    for path in out.rglob("*.*"):
        assert SECRET not in path.read_text(encoding="utf-8"), path.name


def test_hostile_texts_are_shown_and_do_nothing(out):
    path = out / "feedback" / f"{stem(HOSTILE_NAME)}.html"
    text = path.read_text(encoding="utf-8")
    assert len(text) < 30_000
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]", text)
    shown = words(text)
    for part in (
        "<script>document.title='owned'</script>", r"\u202egnp.exe\u202c zero\u200bwidth", r"\x1b[2J\x1b[31mred", "{{ 7*7 }}",
        "{{ page }}</style></title></body></html>", "[cut here: 1000000 characters in all]", r"\x1b]0;owned\x07 ]]>",
    ):  # fmt: skip
        assert part in shown, part


@pytest.mark.parametrize("field", ["exercise", "title", "message", "expected", "found", "try_next"])
def test_every_field_of_a_mark_is_escaped(field):
    one = result("a", (mark("q1", Outcome.FAILED).model_copy(update={field: "<b>&\u202e"}),))
    for html in (page_of(one), "".join(overview.page(of(one), {}))):
        assert "<b>" not in html
        assert "\u202e" not in html


@pytest.mark.parametrize("field", ["learner", "file", "refused", "failure"])
def test_every_field_of_a_result_is_escaped(field):
    one = result("a").model_copy(update={field: "<b>&\u202e"})
    for html in (page_of(one), "".join(overview.page(of(one), {}))):
        assert "<b>" not in html
        assert "\u202e" not in html


def test_the_overview_begins_with_what_needs_a_look(out):
    page = soup(out / "index.html")
    assert [tag.get_text() for tag in page.find_all("h2")][:2] == [
        "What needs a look",
        "How are the points spread?",
    ]
    text = words((out / "index.html").read_text(encoding="utf-8"))
    assert "To grade again The grader could not do these." in text
    assert "chiara : The worker was lost" in text
    assert "Could not be graded These have no points." in text
    assert "Not in grades-moodle.csv" in text


def test_the_hardest_exercise_comes_first_with_its_outcomes():
    results = [
        result(
            "a", (mark("q1", Outcome.PASSED, 1), mark("q2", Outcome.PARTLY, 0.5), mark("q3", Outcome.FAILED))
        ),
        result(
            "b", (mark("q1", Outcome.PASSED, 1), mark("q2", Outcome.ERROR), mark("q3", Outcome.TIMED_OUT))
        ),
    ]
    page = BeautifulSoup("".join(overview.page(of(*results), {})), "html.parser")
    table = page.find("table", {"aria-labelledby": "exercises"})
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in table.find_all("tr")]
    assert [row[0][:2] for row in rows[1:4]] == ["q3", "q2", "q1"]
    assert rows[2][1:] == ["25\u00a0%", "0", "1", "0", "0", "1", "0", "0"]
    assert rows[4] == ["all", "34\u00a0%", "2", "1", "1", "0", "1", "1", "0"]


def test_the_spread_is_told_in_words_and_adds_up(out):
    page = soup(out / "index.html")
    caption = page.find("figcaption")
    assert page.svg["aria-labelledby"] == caption["id"]
    assert caption.get_text().startswith("Learners with a mark: 15. The median is ")
    counts = [tag.get_text() for tag in page.svg.find_all("text")]
    bars = len(page.svg.find_all("rect"))
    assert sum(map(int, counts[:bars])) == 15


def test_answers_that_are_alike_are_told_with_what_that_means():
    code = "\n".join(
        f"frame_{n} = source.query('x > {n}').groupby(key).agg(size).{'abcdefgh'[n]}()" for n in range(8)
    )
    results = [result(name, answers={"q1": code}) for name in ("anna", "ben")]
    text = words("".join(overview.page(of(*results), {})))
    assert "anna – ben : q1 100" in text
    assert "a reason to look at both, not a proof" in text
    assert "There is no such pair." in words("".join(overview.page(of(honest()), {})))


def test_a_misspelt_name_in_a_template_is_an_error():
    from jinja2 import UndefinedError

    from flightschool.grading.reports.pages import render

    with pytest.raises(UndefinedError):
        "".join(render("feedback.html.j2", {"course": "x"}))
