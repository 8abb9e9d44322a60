"""Answers to the exercises of module 05: right ones in different styles, and the mistakes that people make.

They are judged by the model, alike on every machine; tests/labs/05_docker/test_engine.py asks an engine where there is one.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from labs.kit import failing, passing, untouched

from flightschool.curriculum import load_lab_file
from flightschool.paths import LABS

LAB = LABS / "05_docker"
sys.path.insert(0, str(LAB))
os.environ.setdefault("FLIGHTSCHOOL_DOCKER", "off")

import twice_built  # noqa: E402
import wheelhouse  # noqa: E402

MUTATION = {
    "q1": {"most": 40, "worlds": 1},
    "q2": {"most": 60, "worlds": 2},
    "q3": {"most": 60, "worlds": 2},
    "q4": {"most": 40, "worlds": 1},
    "drill": {"most": 24, "worlds": 2},
}
"""Where a mutant takes seconds, `make judge` tries fewer."""

_ALL_LET_IN = r"^(lock_then|pinned|fastapi|two_stages)\w* Dockerfile FDL: COPY (%s).* → COPY \. \.$"
_NAMED = {
    r"^(in_stages|in_two_stages|flask)\w* (\.dockerignore (SDL|SWP|UOD)|.*KDL: .*ignore=)": "each file is copied by name, so nothing has to be kept away",
}
_MEANT = {
    r"\.dockerignore SWP: \.git \|": "what is kept away is kept away in any order",
    r"\.dockerignore SWP: \S+ \| (\*\*/|\.|data|service)": "what is kept away is kept away in any order",
    r"\.dockerignore SWP: !\S+ \| !": "what is let in is let in in any order",
    r"Dockerfile CRP: USER .* → USER (1001|1000[12]:|10001:1000)": "another number that is not 0",
    r"SWP: (USER|EXPOSE|HEALTHCHECK)|SWP: [^|]* \| (USER|EXPOSE|HEALTHCHECK)": "settings stand in any order",
    r"FRM: CMD .* → ENTRYPOINT": "a program without arguments",
}
_NO_ETL = {r"\.dockerignore \w+: (\* \| )?!etl": "this repository has no etl/"}
_NO_START = {
    r"(SDL|CRP|FRM): (USER|EXPOSE|HEALTHCHECK)": "it asks for no user, port or health check",
    r"CRP: CMD": "the image is not started",
    r"SDL: WORKDIR|SWP: (COPY --from|COPY model.json|ARG|ENV)[^|]* \| WORKDIR|SWP: WORKDIR [^|]*\| (COPY --link|ARG|ENV)": "the files may lie elsewhere",
}
STILL_RIGHT = {
    "q1": {
        **_MEANT,
        r"\.dockerignore .*!(delays|model)": "this repository has neither",
        _ALL_LET_IN % "etl/": "the list of what is let in keeps the rest away",
        r"SWP: (RUN apt-get|RUN --mount|COPY --(from|chown)|ENV PATH|ENTRYPOINT)": "neither needs the other",
        r"SWP: ENV PYTHONPATH": "what is installed there is found all the same",
        r"SDL: (WORKDIR /data|CMD)": "folder and arguments come with docker run",
        r"(KDL|CRP): COPY --chown": "whoever owns it, everybody can read it",
        r"(KDL|CRP): HEALTHCHECK .*--(interval|timeout)": "another patience",
        r"CRP: ENV .*PYTHONUNBUFFERED=1 →": "any text will do",
        r"^one_stage\w* \.dockerignore (SDL|UOD): (\.git|\.venv|data|service-account\.json) →": "it copies etl/ alone",
        r"SDL: ARG PYTHON": "nothing uses it",
    },
    "q2": {
        **_NAMED, **_MEANT, **_NO_START, **_NO_ETL,
        r"(SDL|FRM): CMD": "the image is not started",
        _ALL_LET_IN % "delays/": "the list of what is let in keeps the rest away",
        r"KDL: RUN .*--no-cache-dir.* → (?!.*--no-cache-dir)": "it asks for no small image",
        r"(KDL|SWP): COPY --link": "--link spares more than it asks for",
    },
    "q3": {
        **_NAMED, **_MEANT, **_NO_START, **_NO_ETL,
        _ALL_LET_IN % "requirements|model|delays/": "the list of what is let in keeps the rest away",
        r"^in_two_stages\w* Dockerfile FDL: COPY requirements": "that stage is not shipped",
        r"SWP: (ENV PYTHONPATH|COPY --from|COPY model|COPY delays|RUN pip install.* → COPY model)": "their order changes no byte",
        r"SWP: WORKDIR /app \| USER": "settings stand in any order",
    },
    "q4": {
        **_NAMED, **_MEANT, **_NO_ETL,
        _ALL_LET_IN % "requirements|model|delays/": "the list of what is let in keeps the rest away",
        r"^flask\w* Dockerfile (TAG: .*AS build → FROM python:3.11.14-bookworm|FDL: COPY requirements|KDL: RUN .*--no-cache-dir.* → (?!.*--no-cache-dir))": "that stage is not shipped",
        r"SWP: (COPY model|COPY delays|ENV|COPY --from|RUN pip install.* → COPY model)": "neither needs the other",
        r"CRP: .*--workers": "two answer as one does",
        r"CRP: USER 1000:1000 → USER 1000:": "another group",
        r"(KDL|CRP): HEALTHCHECK --interval|timeout=4\)": "another patience",
    },
    "drill": {
        r"LCR: return answer \| .* → return answer$": "the release may be named in full",
        r"Dockerfile FDL: COPY": "nothing there is secret, and nobody asked for a cache",
        r"Dockerfile SWP: .*(CMD|COPY (wheels|report))": "neither needs the other",
        r"Dockerfile (SDL|CRP): (USER|WORKDIR)": "it asks for no user and no folder",
        r"Dockerfile FRM: CMD": "the program starts in this form, too",
        r"KDL: RUN .*--no-index .* → (?!.*--no-index)": "the hashes keep everything else out",
        r"KDL: RUN .*--no-cache-dir.* → (?!.*--no-cache-dir)": "it asks for no small image",
    },
    "q5": {
        r"CRP: \S*\.(interval|retries|start_period|start_interval): ": "another patience that is enough",
        r"KDL: (services\.api\.healthcheck\.interval|x-patience\.(interval|retries))": "another patience that is enough",
        r"KDL: services\.db\.healthcheck\.(interval: 5s|start_interval)": "in the start period its own interval counts, and that is 5 s unless it is said",
        r"KDL: x-patience: ": "what refers to it has its own copy",
        r"restart: on-failure:3": "a job that ends well is not started again in any case",
        r"dashboard\.depends_on\.db(: |.* → service_started)": "the dashboard asks the API only",
        r"healthcheck\.test.*127\.0\.0\.1.* → .*0\.0\.0\.0": "0.0.0.0 leads a client to itself",
        r"→ .*(select 2|exit 2)": "another query, another code that is not 0",
        r"KDL: services\.api\.healthcheck: ": "the image brings one along",
    },
}  # fmt: skip
"""Changes that are no mistakes there; each was read, and the judge must pass it."""

BASE = "python:3.11.14-slim-bookworm"
PIP = "pip install --no-cache-dir --require-hashes -r requirements.lock"
URL = "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=3)"


# An image whose COPY names its files is right without an ignore list as well: less is no mistake here.
def files(
    dockerfile, ignore="*\n!etl/*.py\n!delays/*.py\n!model.json\n!requirements*.lock\n"
):  # pragma: no mutate
    return {"Dockerfile": dockerfile, ".dockerignore": ignore}


# --- q1

ETL = f"""\
FROM {BASE} AS build
WORKDIR /build
COPY requirements.lock .
RUN python -m venv /venv && /venv/bin/{PIP}

FROM {BASE}
RUN apt-get update \\
    && apt-get install -y --no-install-recommends openjdk-17-jre-headless=17.* \\
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /app
COPY etl/ etl/
USER 1000
HEALTHCHECK CMD ["python", "-c", "import etl"]
ENTRYPOINT ["python", "-m", "etl"]
"""


@passing("q1", slow=True)
def two_stages(world):
    return files(ETL)


@passing("q1", slow=True)
def one_stage_and_a_module_path(world):
    return files(
        f"""\
# syntax=docker/dockerfile:1
ARG PYTHON={BASE}
FROM python:3.11.14-slim-bookworm
ENV PYTHONPATH=/srv PYTHONUNBUFFERED=1
RUN apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless=17.0.* && rm -rf /var/lib/apt/lists/*
RUN --mount=type=bind,source=requirements.lock,target=/tmp/requirements.lock \\
    pip install --no-cache-dir --require-hashes --requirement /tmp/requirements.lock
COPY --chown=0:0 etl /srv/etl
WORKDIR /data
HEALTHCHECK --interval=1m --timeout=20s CMD ["python", "-m", "etl", "--help"]
USER 10001:10001
ENTRYPOINT ["python", "-m", "etl"]
CMD ["--help"]
""",
        ".git\n.venv\n**/__pycache__\n**/.env*\n**/*.toml\n**/*.pem\n**/credentials.json\nservice-account.json\ndata\n",
    )


@failing("q1", because="secret", slow=True)
def with_all_that_lies_about(world):
    return files(ETL.replace("COPY etl/ etl/", "COPY . ."), ignore=".git\n")


@failing("q1", because="runs as root", slow=True)
def as_root(world):
    return files(ETL.replace("USER 1000\n", ""))


@failing("q1", because="will not find a package", slow=True)
def venv_that_is_not_on_the_path(world):
    return files(ETL.replace("ENV PATH=/venv/bin:$PATH\n", ""))


@failing("q1", because="pip looks for requirements.lock", slow=True)
def installs_before_it_copies(world):
    return files(ETL.replace("COPY requirements.lock .\n", ""))


@failing("q1", because="Java", slow=True)
def java_in_the_other_stage(world):
    apt = ETL[ETL.index("RUN apt-get") : ETL.index("COPY --from")]
    return files(ETL.replace(apt, "").replace("WORKDIR /build\n", f"WORKDIR /build\n{apt}"))


@failing("q1", because="is not in the image", slow=True)
def module_by_module(world):
    names = (
        "__init__",
        "__main__",
        "contract",
        "errors",
        "ingestion",
        "loading",
        "pipeline",
        "results",
        "session",
        "store",
        "transformation",
    )
    return files(ETL.replace("COPY etl/ etl/", f"COPY {' '.join(f'etl/{name}.py' for name in names)} etl/"))


@failing("q1", because="lists of packages that are not there", slow=True)
def installs_from_no_lists(world):
    return files(ETL.replace("apt-get update \\\n    && ", ""))


@failing("q1", because="rm stops at the folders", slow=True)
def clears_up_by_halves(world):
    return files(ETL.replace("rm -rf", "rm"))


@failing("q1", because="never has", slow=True)
def java_of_another_version(world):
    return files(ETL.replace("=17.*", "=18.*"))


@failing("q1", because="follow ENTRYPOINT", slow=True)
def command_instead_of_entrypoint(world):
    return files(ETL.replace("ENTRYPOINT", "CMD"))


@failing("q1", because="still says that all is well", slow=True)
def health_that_always_agrees(world):
    return files(ETL.replace('"import etl"', '"print(1)"'))


@failing("q1", because="exact version", slow=True)
def base_that_moves(world):
    return files(ETL.replace(BASE, "python:3.11-slim"))


@untouched("q1")
def no_etl_image(world):
    return {"Dockerfile": ..., ".dockerignore": ...}


# --- q2

API = f"""\
FROM {BASE}
WORKDIR /app
COPY requirements.lock .
RUN {PIP}
COPY model.json .
COPY delays/ delays/
USER 1000
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "{URL}"]
CMD ["uvicorn", "delays.delay_api:app", "--host", "0.0.0.0", "--port", "8000"]
"""


@passing("q2")
def lock_then_model_then_code(world):
    return files(API)


@passing("q2")
def in_stages_and_by_a_mount(world):
    return files(
        f"""\
FROM {BASE} AS base
FROM base AS packages
RUN --mount=type=bind,source=requirements-flask.lock,target=/lock pip install --no-cache-dir --require-hashes --prefix=/packages -r /lock
FROM base
COPY --from=packages /packages /usr/local
WORKDIR /app
COPY --link model.json ./
COPY --link delays/*.py delays/
USER 1000
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "delays.delay_flask:app"]
""",
        ignore=".git\n.venv\n",
    )


@failing("q2", because="packages are installed again")
def copies_all_first(world):
    return files(API.replace("COPY requirements.lock .", "COPY . ."))


@failing("q2", because="that no image needs")
def lets_everything_in(world):
    ignore = "*\n!delays\n!model.json\n!*.lock\n**/.env\n**/*.pem\n**/*.toml\n**/credentials.json\n"
    return files(API, ignore=ignore)


@failing("q2", because="layers are rebuilt")
def works_behind_the_code(world):
    return files(API.replace("USER 1000", "RUN python -m compileall -q delays\nUSER 1000"))


@failing("q2", because="another base")
def upgrades_the_base(world):
    return files(API.replace(BASE, "python:latest"))


@failing("q2", because="beside the lock")
def names_a_package_by_hand(world):
    return files(API.replace("-r requirements.lock", "-r requirements.lock uvicorn==0.54.0"))


@failing("q2", because="No line installs")
def forgets_the_packages(world):
    return files(API.replace(f"RUN {PIP}\n", ""))


@untouched("q2")
def layers_as_they_were(world):
    return {"Dockerfile": ..., ".dockerignore": ...}


# --- q3

PINNED = twice_built.pinned(BASE)
TWICE = API.replace(BASE, PINNED).replace("WORKDIR /app", "ARG SOURCE_DATE_EPOCH\nWORKDIR /app")


@passing("q3")
def pinned_and_without_clock(world):
    return files(TWICE)


@passing("q3")
def in_two_stages_without_byte_code(world):
    return files(
        f"""\
ARG BASE={PINNED}
FROM $BASE AS packages
COPY requirements.lock /
RUN pip install --no-cache-dir --no-compile --require-hashes --target=/packages -r /requirements.lock
FROM $BASE
ENV PYTHONPATH=/packages:/app
COPY --from=packages /packages /packages
COPY delays/*.py /app/delays/
COPY model.json /app/
WORKDIR /app
USER 1000
CMD ["python", "-m", "uvicorn", "delays.delay_api:app", "--host", "0.0.0.0"]
""",
        ignore=".git\n**/.*\n",
    )


@failing("q3", because="another image than a week ago")
def trusts_the_tag(world):
    return files(TWICE.replace(PINNED, BASE))


@failing("q3", because="SOURCE_DATE_EPOCH would be taken")
def compiles_by_the_clock(world):
    return files(TWICE.replace("ARG SOURCE_DATE_EPOCH\n", ""))


@failing("q3", because="Debian")
def upgrades_on_the_way(world):
    return files(
        TWICE.replace(
            "WORKDIR /app",
            "RUN apt-get update && apt-get upgrade -y && rm -rf /var/lib/apt/lists/* /var/log/*\nWORKDIR /app",
        )
    )


@failing("q3", because="clock or chance")
def notes_the_day(world):
    return files(TWICE.replace("USER 1000", "RUN date > /app/built\nUSER 1000"))


@failing("q3", because="other bytes")
def copies_byte_code_along(world):
    return files(
        TWICE,
        ignore="*\n!delays\n**/.env\n**/*.pem\n**/*.toml\n**/credentials.json\n!model.json\n!requirements.lock\n",
    )


@failing("q3", because="whatever the index has")
def from_loose_names(world):
    return files(
        TWICE.replace(PIP, "pip install --no-cache-dir fastapi uvicorn").replace(
            "COPY requirements.lock .\n", ""
        )
    )


@untouched("q3")
def not_built_twice(world):
    return {"Dockerfile": ..., ".dockerignore": ...}


# --- q4


@passing("q4", slow=True)
def fastapi_by_uvicorn(world):
    return files(API)


@passing("q4", slow=True)
def flask_by_gunicorn(world):
    return files(
        f"""\
FROM {BASE} AS build
WORKDIR /build
COPY requirements-flask.lock .
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements-flask.lock
FROM {BASE}
COPY --from=build /opt/venv /opt/venv
ENV PATH="/opt/venv/bin:$PATH" MODEL=/srv/model/model.json
WORKDIR /srv
COPY model.json model/
COPY delays/*.py delays/
EXPOSE 9000
USER 1000:1000
HEALTHCHECK --interval=10s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9000/health')"]
CMD ["gunicorn", "--bind", "0.0.0.0:9000", "--workers", "1", "delays.delay_flask:app"]
""",
        ignore=".git\n.venv\n",
    )


@failing("q4", because="own loopback", slow=True)
def listens_to_itself(world):
    return files(API.replace("0.0.0.0", "127.0.0.1"))


@failing("q4", because="the server goes on", slow=True)
def behind_a_shell(world):
    return files(
        API.replace(
            'CMD ["uvicorn", "delays.delay_api:app", "--host", "0.0.0.0", "--port", "8000"]',
            "CMD uvicorn delays.delay_api:app --host 0.0.0.0 --port 8000; true",
        )
    )


@failing("q4", because="names another port", slow=True)
def says_another_port(world):
    return files(API.replace("EXPOSE 8000", "EXPOSE 80"))


@failing("q4", because="curl or wget", slow=True)
def asks_with_curl(world):
    return files(
        API.replace(f'["python", "-c", "{URL}"]', '["curl", "--fail", "http://127.0.0.1:8000/health"]')
    )


@failing("q4", because="model.json is not in the image", slow=True)
def without_its_model(world):
    return files(API.replace("COPY model.json .\n", ""))


@failing("q4", because="answered with status 503", slow=True)
def model_in_another_place(world):
    return files(API.replace("COPY model.json .", "COPY model.json /models/"))


@failing("q4", because="Without its model", slow=True)
def health_of_the_port_alone(world):
    return files(API.replace(URL, "import socket; socket.create_connection(('127.0.0.1', 8000), 3)"))


@untouched("q4")
def no_model_image(world):
    return {"Dockerfile": ..., ".dockerignore": ...}


# --- q5

COMPOSE = """\
services:
  db:
    image: postgres:18.4-bookworm
    environment:
      POSTGRES_PASSWORD: ${DB_PASSWORD:?set it in .env}
    volumes: ["db:/var/lib/postgresql"]
    healthcheck:
      test: [CMD, pg_isready, -h, 127.0.0.1, -U, postgres]
      interval: 5s
      start_period: 90s
      start_interval: 1s
  etl:
    image: flights-etl:1.4.2
    depends_on:
      db: {condition: service_healthy}
  api:
    image: delays-api:2.0.1
    ports: ["127.0.0.1:8000:8000"]
    depends_on:
      etl: {condition: service_completed_successfully}
  dashboard:
    image: delays-dashboard:0.3.0
    depends_on:
      api: {condition: service_healthy}
volumes:
  db:
"""


@passing("q5")
def each_waits_for_what_it_needs(world):
    return COMPOSE


@passing("q5")
def many_retries_and_a_secret_file(world):
    return """\
x-patience: &patience
  interval: 3s
  retries: 40
services:
  dashboard:
    image: delays-dashboard:0.3.0
    depends_on: {api: {condition: service_healthy}, db: {condition: service_healthy}}
  api:
    image: delays-api:2.0.1
    ports:
      - {host_ip: 127.0.0.1, target: 8000, published: "8000"}
    depends_on: {etl: {condition: service_completed_successfully}}
    healthcheck:
      <<: *patience
      test: ["CMD", "python", "-c", "import urllib.request as r; r.urlopen('http://localhost:8000/health')"]
  etl:
    image: flights-etl:1.4.2
    restart: on-failure:3
    depends_on: {db: {condition: service_healthy}}
  db:
    image: postgres:18.4-bookworm
    environment: {POSTGRES_PASSWORD_FILE: /run/secrets/db}
    secrets: [db]
    volumes:
      - {type: volume, source: data, target: /var/lib/postgresql}
    healthcheck:
      <<: *patience
      test: psql -h 127.0.0.1 -U postgres -c 'select 1' || exit 1
secrets:
  db: {file: ./db-password.txt}
volumes: {data: {}}
"""


@failing("q5", because="does not say that it depends")
def in_the_order_of_the_file(world):
    return "\n".join(
        line for line in COMPOSE.splitlines() if "condition" not in line and "depends_on" not in line
    )


@failing("q5", because="whether the process runs")
def waits_for_the_start_only(world):
    return COMPOSE.replace("service_healthy", "service_started")


@failing("q5", because="local socket")
def asks_at_the_wrong_door(world):
    return COMPOSE.replace("-h, 127.0.0.1, ", "")


@failing("q5", because="given up before its time")
def too_impatient(world):
    return COMPOSE.replace("      start_period: 90s\n      start_interval: 1s\n", "")


@failing("q5", because="says yes whatever happens")
def asks_nothing(world):
    return COMPOSE.replace("[CMD, pg_isready, -h, 127.0.0.1, -U, postgres]", '[CMD, "true"]')


@failing("q5", because="A job is never healthy")
def waits_for_a_healthy_job(world):
    return COMPOSE.replace("service_completed_successfully", "service_healthy")


@failing("q5", because="started again")
def restarts_the_job(world):
    return COMPOSE.replace("  etl:\n", "  etl:\n    restart: unless-stopped\n")


@failing("q5", because="in the clear")
def password_in_the_file(world):
    return COMPOSE.replace("${DB_PASSWORD:?set it in .env}", "hunter2")


@failing("q5", because="whole network")
def open_to_the_network(world):
    return COMPOSE.replace("127.0.0.1:8000:8000", "8000:8000")


@failing("q5", because="can never succeed")
def asks_for_no_user(world):
    return COMPOSE.replace("-U, postgres", "-U")


@failing("q5", because="can never succeed")
def asks_a_file_of_that_name(world):
    return COMPOSE.replace(
        "    depends_on:\n      etl:",
        f'    healthcheck: {{test: [CMD, python, "{URL}"]}}\n    depends_on:\n      etl:',
    )


@failing("q5", because="that port does not lead")
def behind_another_port(world):
    return COMPOSE.replace("127.0.0.1:8000:8000", "127.0.0.1:8001:8000")


@failing("q5", because="declares none of that name")
def a_secret_from_nowhere(world):
    return many_retries_and_a_secret_file.answer(world).replace(
        "secrets:\n  db: {file: ./db-password.txt}\n", ""
    )


@failing("q5", because="no secret of that name is given")
def a_secret_that_nobody_hands_over(world):
    return many_retries_and_a_secret_file.answer(world).replace("    secrets: [db]\n", "")


@failing("q5", because="lacks its type")
def a_volume_of_no_type(world):
    return many_retries_and_a_secret_file.answer(world).replace("type: volume, ", "")


@untouched("q5")
def no_compose_file(world):
    return ...


# --- quiz


@passing("quiz")
def five_letters(world):
    return {"layer": "b", "tag": "c", "secret": "c", "health": "a", "order": "b"}


@passing("quiz")
def five_capitals(world):
    return {"layer": "B", "tag": "C", "secret": " C", "health": "A", "order": "B "}


@failing("quiz", because="tag")
def trusts_tags(world):
    return {"layer": "b", "tag": "a", "secret": "c", "health": "a", "order": "b"}


@failing("quiz", because="secret")
def deletes_secrets(world):
    return {"layer": "b", "tag": "c", "secret": "a", "health": "a", "order": "b"}


@failing("quiz", because="order")
def starts_in_order(world):
    return {"layer": "b", "tag": "c", "secret": "c", "health": "a", "order": "a"}


@untouched("quiz")
def no_letters(world):
    return dict.fromkeys(("layer", "tag", "secret", "health", "order"), ...)


# --- drill

LOCKED = f"""\
FROM {BASE}
WORKDIR /app
COPY requirements.lock .
RUN --mount=type=bind,source=wheels,target=/wheels \\
    pip install --no-cache-dir --no-index --find-links /wheels --require-hashes -r requirements.lock
COPY report.py .
USER 1000
CMD ["python", "report.py", "flights.csv"]
"""


def works(world):
    """The team's folder as the drill lays it out. It outlives the answer, for the probe reads it."""
    place = Path(tempfile.mkdtemp(prefix="flightschool-test-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    load_lab_file(LAB, "drill").lay_out(world, place)
    return place


def tried_out(world, desk):  # pragma: no mutate  (the name is judged, not the way to it)
    """The release of CI's with which the laptop's list gives CI's report."""
    mine, theirs = ((desk / one / "freeze.txt").read_text().split() for one in ("laptop", "ci"))
    wanted = (desk / "laptop/run.log").read_text().split("\n", 1)[1]
    for pin in theirs:
        name = pin.partition("==")[0]
        packages = desk / f"trial-{name}"
        wheelhouse.install(
            "\n".join([pin, *(one for one in mine if not one.startswith(name))]), desk / "wheels", packages
        )
        if wheelhouse.run(desk / "report.py", desk / "flights.csv", packages=packages).stdout != wanted:
            return pin
    raise AssertionError("nothing differs")


def recovered(world, **changes):
    desk = works(world)
    lock = wheelhouse.lock((desk / "laptop/freeze.txt").read_text(), desk / "wheels")
    return {"desk": desk, "culprit": tried_out(world, desk), "lock": lock, "Dockerfile": LOCKED} | changes


@passing("drill")
def locked_what_the_laptop_has(world):
    return recovered(world)


@passing("drill")
def locked_by_hand(world):
    answer = recovered(world)
    index = {
        wheel.pin: wheel.sha256
        for those in wheelhouse.releases(answer["desk"] / "wheels").values()
        for wheel in those
    }
    pins = (answer["desk"] / "laptop/freeze.txt").read_text().split()
    lock = "# as on the laptop\n" + "\n".join(f"{pin} --hash=sha256:{index[pin]}" for pin in pins)
    dockerfile = f'FROM {BASE}\nCOPY wheels /wheels\nCOPY requirements.lock /\nRUN pip install --no-cache-dir --require-hashes --no-index -f /wheels -r /requirements.lock\nCOPY report.py /\nCMD ["python", "/report.py"]\n'
    return answer | {"lock": lock, "Dockerfile": dockerfile, "culprit": answer["culprit"].partition("==")[0]}


@failing("drill", because="With that alone exchanged")
def names_the_other_release(world):
    drill = load_lab_file(LAB, "drill")
    return recovered(world, culprit=drill.bystander(world))


@failing("drill", because="still not the laptop's")
def locks_what_is_broken(world):
    answer = recovered(world)
    return answer | {"lock": wheelhouse.lock("nyc-ontime==3.1.0", answer["desk"] / "wheels")}


@failing("drill", because="Next week")
def pins_the_culprit_only(world):
    drill = load_lab_file(LAB, "drill")
    name = drill.culprit(world)
    return recovered(world, lock=f"nyc-ontime==3.1.0\n{name}=={drill.VERSIONS[name][0]}\n")


@failing("drill", because="A version is a name")
def locks_without_hashes(world):
    answer = recovered(world)
    return answer | {"lock": (answer["desk"] / "laptop/freeze.txt").read_text()}


@failing("drill", because="installed is not requirements.lock")
def keeps_the_old_dockerfile(world):
    return recovered(world, Dockerfile=load_lab_file(LAB, "drill").OLD_DOCKERFILE)


@failing("drill", because="names no folder")
def installs_from_nowhere(world):
    return recovered(world, Dockerfile=LOCKED.replace("--find-links /wheels ", ""))


@failing("drill", because="has brought wheels there")
def installs_from_an_empty_folder(world):
    return recovered(
        world, Dockerfile=LOCKED.replace("--mount=type=bind,source=wheels,target=/wheels \\\n    ", "")
    )


@failing("drill", because="Nothing says what a container")
def runs_nothing(world):
    return recovered(world, Dockerfile=LOCKED.replace('CMD ["python", "report.py", "flights.csv"]\n', ""))


@untouched("drill")
def not_looked_at(world):
    return {"desk": works(world), "culprit": ..., "lock": ..., "Dockerfile": ...}
