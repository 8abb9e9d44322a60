"""What a builder makes of a Dockerfile: copies, ignores, cache, installs, settings."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

FILES = {
    "app/a.py": b"a", "app/b.py": b"b", "app/sub/c.py": b"c", "app/.env": b"secret", "lock": b"x==1 --hash=sha256:0", "README.md": b"r",
    "data/day 1.csv": b"1", "data/day2.csv": b"2",
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    import image_model

    return image_model


def paths(model, *lines, ignore="", context=FILES):
    return sorted(model.build("\n".join(["FROM scratch", *lines]), context, ignore).image.files)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["COPY app /x"], ["/x/.env", "/x/a.py", "/x/b.py", "/x/sub/c.py"]),
        (["COPY app/ /x/"], ["/x/.env", "/x/a.py", "/x/b.py", "/x/sub/c.py"]),
        (["COPY app/*.py /x/"], ["/x/a.py", "/x/b.py"]),
        (["COPY lock /x"], ["/x"]),
        (["COPY lock /x/"], ["/x/lock"]),
        (["WORKDIR /srv", "COPY lock ."], ["/srv/lock"]),
        (["WORKDIR /srv", "WORKDIR sub", "COPY lock README.md ./"], ["/srv/sub/README.md", "/srv/sub/lock"]),
        (['COPY ["data/day 1.csv", "/d/"]'], ["/d/day 1.csv"]),
        (["ARG D=app", "COPY ${D}/a.py /"], ["/a.py"]),
        (["COPY --exclude=**/.env app /x"], ["/x/a.py", "/x/b.py", "/x/sub/c.py"]),
        (["COPY <<note /etc/note", "hello", "note"], ["/etc/note"]),
        (["COPY ./app/sub/ ./"], ["/c.py"]),
    ],
)
def test_copies_come_to_lie_where_docker_puts_them(model, lines, found):
    assert paths(model, *lines) == found


@pytest.mark.parametrize(
    ("patterns", "kept"),
    [
        ("app", {"lock", "README.md", "data/day 1.csv", "data/day2.csv"}),
        ("*\n!app/*.py", {"app/a.py", "app/b.py"}),
        ("*\n!app\n**/.env", {"app/a.py", "app/b.py", "app/sub/c.py"}),
        ("**/*.py\n*.md\ndata/day?.csv", {"app/.env", "lock", "data/day 1.csv"}),
        ("/app/\n# comment\n\n  lock  ", {"README.md", "data/day 1.csv", "data/day2.csv"}),
        ("**/sub", set(FILES) - {"app/sub/c.py"}),
        ("app/[ab].py", set(FILES) - {"app/a.py", "app/b.py"}),
        ("*.py", set(FILES)),
    ],
)
def test_dockerignore(patterns, kept):
    from dockerignore import Ignore

    assert set(Ignore(patterns).keep(FILES)) == kept


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        (["COPY nothing /"], "nothing is not in the context"),
        (["COPY ../x /"], "outside"),
        (["COPY app lock /x"], "end with a slash"),
        (["COPY lock"], "at least one source"),
        (["COPY --parents app/sub /x/"], "not known to this model"),
        (["RUN pip install -r lock"], "no instruction before"),
        (
            [
                "FROM scratch AS a",
                "COPY --from=later /x /x",
                "FROM scratch AS later",
                "FROM a",
                "COPY lock /",
            ],
            "later",
        ),
        (["SHELL bash"], "JSON form"),
        (["HEALTHCHECK sometimes"], "HEALTHCHECK"),
    ],
)
def test_a_build_that_would_stop_says_where(model, lines, word):
    from dockerfile import DockerfileError

    with pytest.raises(DockerfileError, match=word):
        model.build("\n".join(["FROM scratch", *lines]), FILES)


GOOD = 'FROM python:3.11.14-slim\nWORKDIR /s\nCOPY lock .\nRUN pip install -r lock\nENV A=1\nCOPY app/ app/\nLABEL v=1\nCMD ["x"]\n'


def again(model, before, after, one=FILES, other=FILES, ignore="", **options):
    first, second = model.build(before, one, ignore), model.build(after, other, ignore, **options)
    return [str(step).split()[0] for step in model.rebuilt(first, second)]


def test_what_the_cache_knows(model):
    assert again(model, GOOD, GOOD) == []
    assert again(model, GOOD, GOOD, other={**FILES, "app/a.py": b"A"}) == ["COPY"]
    assert again(model, GOOD, GOOD, other={**FILES, "lock": b"y"}) == ["COPY", "RUN", "COPY"]
    assert again(model, GOOD, GOOD, other={**FILES, "README.md": b"R"}) == []
    assert again(model, GOOD, GOOD, other={**FILES, "app/.env": b"R"}) == ["COPY"]
    assert again(model, GOOD, GOOD, other={**FILES, "app/.env": b"R"}, ignore="**/.env") == []
    assert again(model, GOOD, GOOD.replace("v=1", "v=2").replace('"x"', '"y"')) == []
    assert again(model, GOOD, GOOD.replace("slim", "trixie")) == ["COPY", "RUN", "COPY"]
    assert again(model, GOOD, GOOD.replace("ENV A=1", "ENV A=2")) == []  # no RUN stands below it
    early = GOOD.replace("COPY lock .", "ENV A=1\nCOPY lock .", 1)
    assert again(model, early, early.replace("ENV A=1", "ENV A=2", 1)) == ["RUN", "COPY"]


def test_arguments_mounts_and_links_in_the_cache(model):
    arg = "FROM scratch\nARG V\nRUN make\n"
    assert again(model, arg, arg, build_args={"V": "2"}) == ["RUN"]
    mount = "FROM scratch\nRUN --mount=type=bind,source=lock,target=/lock --mount=type=secret,id=x make\n"
    assert again(model, mount, mount, other={**FILES, "lock": b"z"}) == ["RUN"]
    assert again(model, mount, mount, other={**FILES, "README.md": b"z"}) == []
    link = "FROM scratch\nCOPY lock /\nCOPY --link README.md /\n"
    assert again(model, link, link, other={**FILES, "lock": b"z"}) == ["COPY"]
    assert again(
        model, link.replace(" --link", ""), link.replace(" --link", ""), other={**FILES, "lock": b"z"}
    ) == ["COPY", "COPY"]


def test_a_stage_that_nobody_needs_is_left_out(model):
    text = "FROM scratch AS a\nCOPY app /a\nFROM scratch AS unused\nCOPY README.md /\nFROM scratch\nCOPY --from=a /a/a.py /bin/\n"
    done = model.build(text, FILES)
    assert [step.line for step in done.steps] == [2, 6]
    assert list(done.image.files) == ["/bin/a.py"]
    assert again(model, text, text, other={**FILES, "app/b.py": b"B"}) == [
        "COPY"
    ]  # the stage's, not the last one


def test_packages_are_found_where_the_start_command_looks(model):
    def at_hand(text):
        return [one.place for one in model.build(text, FILES).image.at_hand()]

    venv = "FROM python:3 AS b\nCOPY lock .\nRUN python -m venv /v && /v/bin/pip install -r lock\nFROM python:3\nCOPY --from=b /v /v\n"
    assert at_hand(venv + 'CMD ["python", "x"]\n') == []
    assert at_hand(venv + 'ENV PATH="/v/bin:$PATH"\nCMD ["python", "x"]\n') == ["/v"]
    assert at_hand(venv + 'CMD ["/v/bin/python", "x"]\n') == ["/v"]
    assert at_hand(venv.replace("/v /v", "/v /moved") + 'ENV PATH=/moved/bin:$PATH\nCMD ["python"]\n') == []
    assert at_hand('FROM python:3\nCOPY lock .\nRUN pip install -r lock\nCMD ["python"]\n') == ["/usr/local"]
    target = "FROM python:3 AS b\nCOPY lock .\nRUN pip install --target=/p -r lock\nFROM python:3\nCOPY --from=b /p /p\n"
    assert at_hand(target + 'CMD ["python"]\n') == []
    assert at_hand(target + 'ENV PYTHONPATH=/p\nCMD ["python"]\n') == ["/p"]
    active = 'FROM python:3\nCOPY lock .\nRUN python -m venv v && . v/bin/activate && pip install -r lock\nCMD ["/v/bin/python"]\n'
    assert at_hand(active) == ["/v"]


def test_how_a_container_starts(model):
    def start(*lines):
        return model.build("\n".join(["FROM scratch", *lines]), {}).image.start(("more",))

    assert start('ENTRYPOINT ["e"]', 'CMD ["c"]') == ("e", "more")
    assert start('CMD ["c"]') == ("more",)
    assert start("ENTRYPOINT e") == ("/bin/sh", "-c", "e")
    image = model.build('FROM scratch AS a\nCMD ["c"]\nFROM a\nENTRYPOINT ["e"]\n', {}).image
    assert image.start() == ("e",)  # an inherited command is forgotten


def test_two_days_name_what_moved():
    import twice_built

    def kinds(*lines):
        base = twice_built.pinned("python:3.11.14-slim")
        text = "\n".join([f"FROM {base}", *lines])
        return [one.kind for one in twice_built.moved(text, "", FILES, {**FILES, "app/.env": b"other"})]

    assert kinds("COPY lock /") == []
    assert kinds("COPY app /app") == ["files"]
    assert kinds("RUN date > /x") == ["clock"]
    assert kinds("RUN curl -O https://example.org/x") == ["download"]
    assert kinds("RUN curl -O https://example.org/x && sha256sum -c sums") == []
    assert kinds("ADD https://example.org/x /x") == ["download"]
    assert kinds("RUN pip install --no-cache-dir --no-compile pandas") == ["pip"]
    assert kinds("RUN pip install --no-cache-dir --no-compile pandas==2.3.3") == ["pip"]
    assert kinds("COPY lock /", "RUN pip install --no-cache-dir -r /lock") == ["time"]
    assert kinds("COPY lock /", "ARG SOURCE_DATE_EPOCH", "RUN pip install --no-cache-dir -r /lock") == []
    assert kinds("ARG BUILD_DATE", "LABEL built=$BUILD_DATE") == ["clock"]
    assert "apt" in kinds("RUN apt-get update && apt-get install -y curl=8.1")


def test_shell_lines_are_taken_apart():
    from shell_steps import commands

    found = commands("set -e; A=1 env B=2 /v/bin/pip install 'a b' >log 2>&1 && (cd /x || exit 1)\necho done")
    assert [one.words for one in found] == [
        ("set", "-e"),
        ("/v/bin/pip", "install", "a b"),
        ("cd", "/x"),
        ("exit", "1"),
        ("echo", "done"),
    ]
    assert found[1].settings == (("A", "1"), ("B", "2"))
    assert commands("echo 'not closed") == []


def by_regex(pattern):
    """The same pattern as a regular expression: simple, and slow for hostile ones."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(known.get(part, re.escape(part)) for part in parts))


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from(["**/", "**", "*", "?", "/", "a", "b", "ab"]), max_size=7),
    st.text("ab/", max_size=9),
)
def test_patterns_match_as_their_regular_expressions(parts, path):
    from dockerignore import Pattern

    pattern = re.sub(r"\*{3,}", "**", "".join(parts))
    assert Pattern(pattern).matches(path) == bool(by_regex(pattern).fullmatch(path)), (pattern, path)


def test_no_pattern_takes_long():
    """A submission's .dockerignore is hostile text: the matcher must not try all ways."""
    import time

    from dockerignore import Ignore

    began = time.monotonic()
    hostile = "\n".join(["*a" * 200 + "x", "**" * 200 + "x", "*?" * 200 + "x", "**/" * 150 + "x"])
    assert not Ignore(hostile).leaves_out("a/" * 30 + "a" * 40)
    assert time.monotonic() - began < 5


def test_deep_nesting_is_refused(model):
    from dockerfile import DockerfileError

    deep = "${a:-" * 2_000 + "}" * 2_000
    for line in (f"ENV x={deep}", f"COPY {deep} /"):
        with pytest.raises(DockerfileError, match="nested"):
            model.build(f"FROM scratch\n{line}\n", FILES)
    with pytest.raises(DockerfileError, match="nested"):
        model.build(f"ARG x={deep}\nFROM scratch\n", FILES)
