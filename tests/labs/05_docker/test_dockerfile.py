"""The reader of Dockerfiles: what it accepts is what hadolint accepts, and it reads what was written."""

import contextlib
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flightschool.curriculum import load_lab_file
from flightschool.paths import LABS

LAB = LABS / "05_docker"
SLOWLY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def reader():
    load_lab_file(LAB, "exercises")  # puts the lab on the path
    import dockerfile

    return dockerfile


@pytest.fixture(scope="module")
def accepted():
    """Whether hadolint can read a Dockerfile at all."""
    from dockerfile_lint import lint

    return lambda text: not any(one.code == "DL1000" for one in lint(text))


WORDS = st.text(string.ascii_lowercase, min_size=1, max_size=8)
INSTRUCTIONS = st.one_of(
    WORDS.map(lambda w: f"RUN echo {w} \\\n    && true"),
    WORDS.map(lambda w: f"RUN echo {w} \\\n# a comment\n\n    && true"),
    WORDS.map(lambda w: f'RUN ["echo", "{w}"]'),
    WORDS.map(lambda w: f"RUN --mount=type=cache,target=/{w} true"),
    WORDS.map(lambda w: f"RUN <<EOF\necho {w}\nCOPY is no instruction here\nEOF"),
    st.tuples(WORDS, WORDS).map(lambda two: f"COPY {two[0]} /{two[1]}/"),
    WORDS.map(lambda w: f'COPY --chown=1:1 ["{w} {w}", "/x/"]'),
    st.tuples(WORDS, WORDS).map(lambda two: f'ENV {two[0]}="{two[1]} x" other=2'),
    st.tuples(WORDS, WORDS).map(lambda two: f"ENV {two[0]} {two[1]} and the rest"),
    WORDS.map(lambda w: f"ARG {w}=1"),
    WORDS.map(lambda w: f"WORKDIR /{w}"),
    WORDS.map(lambda w: f"USER {w}"),
    WORDS.map(lambda w: f'LABEL {w}="a b"'),
    st.integers(1, 65535).map(lambda n: f"EXPOSE {n}"),
    WORDS.map(lambda w: f'HEALTHCHECK --interval=5s CMD ["{w}"]'),
    WORDS.map(lambda w: f"CMD {w}"),
    WORDS.map(lambda w: f"# {w}"),
    st.just(""),
)


@SLOWLY
@given(st.lists(INSTRUCTIONS, max_size=12))
def test_it_reads_what_hadolint_accepts_and_loses_nothing(reader, accepted, lines):
    text = "\n".join(["FROM scratch", *lines]) + "\n"
    # This hadolint stumbles over some texts with a heredoc that Docker reads; of the others it must accept each.
    assert "<<EOF" in text or accepted(text), text
    found = reader.parse(text).stages[0].instructions
    written = [line for line in lines if line and not line.startswith("#")]
    assert [one.name for one in found] == [line.split()[0] for line in written]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "FRO scratch\n",
        "RUN true\n",
        "FROM a AS\n",
        "FROM scratch\nCOPPY a b\n",
        "FROM scratch\nRUN <<EOF\nno end\n",
        "FROM\n",
        "FROM scratch\nCMD\n",
    ],
)
def test_it_refuses_in_a_sentence(reader, text):
    with pytest.raises(reader.DockerfileError, match=r"^(Line \d+|The Dockerfile|There is no FROM).*\.$"):
        reader.parse(text)


@pytest.mark.parametrize(
    "odd", [None, 3, [], {}, "x" * 100_000, "\x00", "FROM " + "$" * 500, "FROM ${" * 300]
)
def test_odd_things_are_refused_or_read(reader, odd):
    with contextlib.suppress(reader.DockerfileError):
        assert reader.parse(odd).stages


def test_variables_stages_and_directives(reader):
    text = "# syntax=docker/dockerfile:1\n# escape=`\nARG V=3.11.14\nFROM python:${V}-slim AS Build\nRUN a `\n b\nFROM build\nCOPY --from=build /x /y\n"
    found = reader.parse(text, {"V": "3.12.1"})
    assert found.directives == {"syntax": "docker/dockerfile:1", "escape": "`"}
    assert [(stage.base, stage.name) for stage in found.stages] == [
        ("python:3.12.1-slim", "build"),
        ("build", None),
    ]
    assert found.stages[0].instructions[0].text.split() == ["a", "b"]
    assert found.stages[1].instructions[0].flag("from") == "build"
    assert found.stage("build") == found.stage("0") == 0
    assert found.stage("7") is found.stage("other") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$a/b", "1/b"),
        ("${a}b", "1b"),
        ("${c:-d}", "d"),
        ("${a:+e}", "e"),
        ("${c:+e}", ""),
        (r"\$a", "$a"),
        ("${c:-${a}}", "1"),
        ("$", "$"),
        ("${", "${"),
    ],
)
def test_variables_are_put_in(reader, text, said):
    assert reader.expand(text, {"a": "1"}) == said


def test_heredocs_belong_to_their_instruction(reader):
    one, two = (
        reader.parse("FROM scratch\nCOPY <<-'EOF' /etc/x\n\tline $HOME\n\tEOF\nCMD x\n")
        .stages[0]
        .instructions
    )
    assert one.heredocs[0].text == "line $HOME\n"
    assert one.heredocs[0].expand is False
    assert two.name == "CMD"


def test_a_shift_of_the_shell_is_no_heredoc(reader):
    found = reader.parse("FROM scratch\nRUN cat <<<word && echo $((1<<2))\nCMD x\n").stages[0].instructions
    assert [one.name for one in found] == ["RUN", "CMD"]
