"""The model against a Docker engine, where one answers: the same files, the same layers rebuilt, the same refusals.

From `scratch`, so that nothing is pulled and each build takes a second; the delay API for real where its base is at hand.
"""

import json
import uuid

import pytest

from flightschool.curriculum import load_lab_file
from flightschool.data import World
from flightschool.paths import LABS

LAB = LABS / "05_docker"
FILES = {
    "app/a.py": b"a", "app/b.py": b"b", "app/sub/c.py": b"c", "app/.env": b"KEY=planted-secret-1", "lock": b"x", "README.md": b"r",
    "data/day1.csv": b"1", "data/day2.csv": b"2", ".git/HEAD": b"h",
}  # fmt: skip
GOOD = 'FROM scratch\nCOPY lock /\nCOPY app/ /app/\nUSER 1000\nHEALTHCHECK CMD ["/x"]\nCMD ["/x"]\n'


@pytest.fixture(scope="module")
def engine():
    import docker_engine

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(docker_engine.SWITCH, raising=False)
        found = docker_engine.engine()
    if isinstance(found, str):
        pytest.skip(found)
    return found


def modelled(text, files=FILES, ignore=""):
    import image_model

    return image_model.build(text, files, ignore)


@pytest.mark.parametrize(
    "lines",
    [
        "COPY app /x",
        "COPY app/*.py /x/",
        "COPY lock /x",
        "COPY lock /x/",
        "WORKDIR /srv\nCOPY lock README.md ./",
        "COPY . /all/",
        "COPY data/day?.csv /d/",
        "COPY app/sub/ /",
        "COPY app/a.py /x/\nCOPY lock /x",
    ],
)
def test_files_come_to_lie_where_the_model_says(engine, lines):
    text = f"FROM scratch\n{lines}\n"
    with engine.built(text, FILES) as built:
        found = {f"/{path}" for path in built.contents() if not path.endswith(".dockerignore")}
    assert found == set(modelled(text).image.files)


@pytest.mark.parametrize(
    "ignore",
    [
        "app",
        "*\n!app/*.py",
        "*\n!app\n**/.env",
        "**/*.py\n*.md\ndata/day?.csv",
        "/app/\n# no\n\nlock",
        "**/sub",
        "app/[ab].py",
        "*.py",
        ".*\n!.git",
    ],
)
def test_dockerignore_keeps_what_the_model_says(engine, ignore):
    text = "FROM scratch\nCOPY . /\n"
    with engine.built(text, FILES, ignore) as built:
        # The engine's own client sends Dockerfile and .dockerignore along in some versions.
        found = {f"/{path}" for path in built.contents()} - {"/.dockerignore", "/Dockerfile"}
    assert found == set(modelled(text, ignore=ignore).image.files)


@pytest.mark.parametrize(
    "text", [GOOD, GOOD.replace("COPY lock /\nCOPY app/ /app/", "COPY app/ /app/\nCOPY lock /")]
)
@pytest.mark.parametrize("edit", [{"app/a.py": b"A"}, {"lock": b"y"}, {"README.md": b"R"}])
def test_the_cache_rebuilds_what_the_model_says(engine, text, edit):
    import image_model

    # Bytes that this engine never saw: of two layers that it kept of the same ones, it may take either.
    salt = uuid.uuid4().bytes
    before = {path: content + salt for path, content in FILES.items()}
    after = {**before, **edit}
    with engine.built(text, before) as one, engine.built(text, after) as two:
        old, new = one.about()["layers"], two.about()["layers"]
    replaced = [layer for layer in new if layer not in old]
    expected = image_model.rebuilt(modelled(text, before), modelled(text, after))
    # A layer that is built again from the same bytes may come out the same: never more than the model says, and the changed one.
    assert len(replaced) <= len(expected)
    assert bool(replaced) == bool(expected)


def test_user_health_and_history_are_told(engine):
    with engine.built(GOOD, FILES, "**/.env") as built:
        about = built.about()
        history = built.history()
    assert (about["user"], about["health"]) == ("1000", True)
    assert any("COPY" in step["made_by"] for step in history)


def test_a_deleted_secret_is_still_in_the_image(engine):
    with engine.built("FROM scratch\nCOPY app /app/\nCOPY lock /app/.env\n", FILES) as built:
        assert built.holding([b"planted-secret-1", b"never-planted"]) == ["planted-secret-1"]
    with engine.built("FROM scratch\nCOPY app /app/\n", FILES, "**/.env") as built:
        assert built.holding([b"planted-secret-1"]) == []
    with engine.built(
        "FROM scratch\nARG PASSWORD=planted-secret-1\nENV P=$PASSWORD\nCOPY lock /\n", FILES
    ) as built:
        assert built.holding([b"planted-secret-1"]) == ["planted-secret-1"]


def test_the_same_content_twice(engine):
    contents = []
    for _turn in range(2):
        with engine.built(GOOD, FILES, fresh=True) as built:
            contents.append(built.contents())
    assert contents[0] == contents[1] != {}


def test_refusals_are_one_sentence(engine):
    import docker_engine

    for text in ("FROM scratch\nCOPY nothing /\n", "FROM scratch\nCOPPY a b\n"):
        with pytest.raises(docker_engine.EngineError, match="docker build"), engine.built(text, FILES):
            pass


@pytest.mark.slow
def test_the_delay_api_in_a_container(engine):
    """The solution's image, built, called, asked for its health and stopped; needs the base, and pip's index inside of a build."""
    answers = load_answers()
    base = answers.BASE
    if not engine.has(base):
        pytest.skip(f"this engine does not hold {base}")
    contexts = load_lab_file(LAB, "build_contexts")
    context = contexts.api_repository(World(3))
    files = answers.files(answers.API)
    with engine.built(files["Dockerfile"], context, files[".dockerignore"]) as built, built.serving() as box:
        reply = box.ask("/predict", b'{"carrier": "UA", "origin": "EWR", "hour": 17}')
        assert reply["status"] == 200
        assert 0 < json.loads(reply["text"])["late_probability"] < 1
        assert box.health() == "healthy"
        assert box.stop() < 9


def load_answers():
    from labs.kit import answers

    return answers("05_docker")
