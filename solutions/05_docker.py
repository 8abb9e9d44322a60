# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 05 · Docker
#
# The ETL runs on your laptop. Tonight it must run on a machine that you have never seen, and so must the model that answers behind the booking page. At the end you will be able to
#
# - **write** a Dockerfile for a Spark job: small, pinned, without root, without your secrets (q1);
# - **order** its layers so that a change of code rebuilds one (q2), and **make** two builds give the same bytes (q3);
# - **package** a model behind an API that knows its own health, and **call** it (q4);
# - **write** a compose file in which nothing starts on broken ground (q5);
# - **find** why “it works on my machine”, and **close** the hole (drill).
#
# **Time** about 75 minutes, and 20 for the drill. The machine needs half a minute of that, 0.4 GB of memory and 1 MB of disk, measured on 2 cores.
# **Natural stops:** after section 1 (20 minutes), after section 3 (45), after section 5 (90). **Short of time?** Leave q3 and q5 out; nothing later depends on them.
# You need Python; no Docker. Where a Docker engine answers, your images are built and run for real as well, which takes minutes the first time; where none does, each check says what still waits for one.

# %% tags=["parameters"]
seed = 0

# %%
import json
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from flightschool.learn import Lab

lab = Lab("05_docker", seed=seed)
lab

# %% [markdown]
# ## 1 · What is in an image
#
# An [**image**](glossary.ipynb#image) is a stack of files, a start command and a few settings. A [**container**](glossary.ipynb#container) is a process that sees these files as its whole disk. A [**Dockerfile**](glossary.ipynb#Dockerfile) is the recipe of an image, and the [**context**](glossary.ipynb#build-context) is the
# folder that the builder gets to see. A [**registry**](glossary.ipynb#registry) keeps images for others to fetch.
#
# ```mermaid
# flowchart LR
#   D[Dockerfile] --> B[builder]
#   C[context] --> B
#   B --> I["image:<br/>layers, settings"] --> R[(registry)] --> K["container:<br/>a process"]
# ```
#
# *In words:* the builder makes an image of a Dockerfile and its context; the image goes to a registry; wherever it is fetched, it becomes a container.
#
# This is the context: the ETL's repository, as it lies on a colleague's laptop.

# %%
from build_contexts import etl_repository

repository = etl_repository(lab.world)
print(textwrap.fill("   ".join(sorted(repository)), 110))

# %% [markdown]
# And this is how a Dockerfile was written in 2021. It works, which is why it is still copied.
#
# **Before you run it:** how many of the files above will lie in the image? Which of them would you not like to lose?

# %% tags=["demo"]
import image_model

written_in_2021 = """\
FROM python:3.9
COPY . .
RUN pip install -r requirements.lock
CMD python -m etl
"""
old = image_model.build(written_in_2021, repository)
for step in old.steps:
    print(f"line {step.line}: {step!s:40} {len(step.wrote):3} files{', a layer' if step.layer else ''}")
print(*[path for path, file in old.image.files.items() if b"SECRET" in file.content], sep="\n")

# %% [markdown]
# All of them, with six files of secrets, the Git history and another machine's packages. Each `COPY`, `ADD` and `RUN` makes a [**layer**](glossary.ipynb#layer): the files that it added. `image_model` is the lab's reading of Docker's rules: it knows what
# is copied and what the cache would know; what a `RUN` does, only an [**engine**](glossary.ipynb#engine) (Docker's server) can show.
#
# A colleague has noticed the secrets. **Predict:** does this mend it?

# %% tags=["demo"]
mended = written_in_2021.replace(
    "CMD", "RUN rm -rf .env* *.json config deploy secrets etl/.env etl/*.pem etl/*.toml\nCMD"
)
tried = image_model.build(mended, repository)
copied = next(step for step in tried.image.layers if step.name == "COPY")
still = [path for path, file in copied.wrote.items() if b"SECRET" in file.content]
print(f"still in the layer of line {copied.line}:", *still, sep="\n")

# %% [markdown]
# It does not. A later layer can hide a file, not unmake it: `docker save` gives every layer to whoever has the image. The same holds for `ARG PASSWORD=…` and `ENV TOKEN=…`, which `docker history` prints. A secret that a build needs comes by
# `RUN --mount=type=secret,id=…`, one that the program needs comes when the container starts. Best of all, it never reaches the builder: a `.dockerignore` that starts with `*` lets nothing in but what you name.

# %%
allow_list = """\
*
!etl/*.py
!requirements.lock
"""

# %% tags=["demo"]
from dockerignore import Ignore

print(*Ignore(allow_list).keep(repository), sep="\n")

# %% [markdown]
# What else does a reviewer say of the old file? **hadolint** is the reviewer that never tires.

# %% tags=["demo"]
from dockerfile_lint import lint

print(*lint(written_in_2021), sep="\n")

# %% [markdown]
# What it does not say: the [**base**](glossary.ipynb#base), `python:3.9`, has had no security fix since October 2025 and names no patch release; it is the big variant, with compilers; the program runs as root; nobody knows whether it is well; Spark would look for a Java that is not there.
#
# **q1 · 4 points.** Write a `Dockerfile` and a `.dockerignore` for this repository, so that `docker run image ingest --day …` does the work: base `python:3.11.14-slim-bookworm`, packages by the [**lock**](glossary.ipynb#lock) `requirements.lock` with its hashes, Java 17
# (Debian's `openjdk-17-jre-headless=17.*`), a user that is a number and not 0, a [**health check**](glossary.ipynb#health-check) (`HEALTHCHECK`) that fails when the package `etl` can't be imported, no file that it does not need, and no word from hadolint. Stuck? `lab.q1.hint()`.

# %% exercise="q1"
etl_dockerfile = ...  # the text of the Dockerfile (str)
etl_ignore = ...  # the text of .dockerignore (str)
### BEGIN SOLUTION
etl_dockerfile = """\
FROM python:3.11.14-slim-bookworm AS packages
WORKDIR /build
COPY requirements.lock .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock

FROM python:3.11.14-slim-bookworm
RUN apt-get update \\
    && apt-get install -y --no-install-recommends openjdk-17-jre-headless=17.* \\
    && rm -rf /var/lib/apt/lists/*
COPY --from=packages /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /app
COPY etl/ etl/
USER 1000
HEALTHCHECK CMD ["python", "-c", "import etl"]
ENTRYPOINT ["python", "-m", "etl"]
"""
etl_ignore = allow_list
### END SOLUTION

# %% check="q1"
lab.q1.check({"Dockerfile": etl_dockerfile, ".dockerignore": etl_ignore})

# %% [markdown]
# `FROM` twice is a [**multi-stage build**](glossary.ipynb#multi-stage-build): the first stage may hold compilers and caches, and only what is copied out of it is shipped. A job that ends is best judged by its exit code; the health check is for schedulers that keep a container for hours.
#
# *A natural stop: about 20 minutes.*

# %% [markdown]
# ## 2 · Layers and their cache
#
# The other repository holds the delay model and the service that answers with it. Its Dockerfile is not bad. But every change of a line costs a whole `pip install`. The builder keeps each layer and takes it again when it knows that nothing below it
# and nothing in it has changed: a `COPY` by the bytes that it copies, a `RUN` by its text.
#
# **Predict** for each of these changes: which layers are built again?

# %%
from build_contexts import api_repository, edits

service = api_repository(lab.world)
changes = {edit.kind: edit for edit in edits(lab.world, service, "delays")}
slow_build = """\
FROM python:3.11.14-slim-bookworm
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
USER 1000
CMD ["uvicorn", "delays.delay_api:app", "--host", "0.0.0.0", "--port", "8000"]
"""

# %% tags=["demo"]
from docker_charts import rebuild_grid


def after_each(dockerfile, ignore=""):
    """The builds after each change, made alone."""
    shown = ("code", "new module", "lock", "docs", "tests", "history", "bytecode")
    return {kind: image_model.build(dockerfile, changes[kind].apply(service), ignore) for kind in shown}


print(rebuild_grid(image_model.build(slow_build, service), after_each(slow_build)))

# %% [markdown]
# Everything, each time: a commit alone changes `.git`, and `.git` is copied. The order of a good Dockerfile is the order of change: what changes yearly on top, what changes daily at the bottom.
#
# **q2 · 3 points.** Rewrite `slow_build`, and give it a `.dockerignore`, so that a change of code rebuilds **one** layer, a new `model.json` at most two, a new lock the packages and what comes after them; and what no container needs rebuilds nothing. The image must still hold all of
# `delays/*.py` and `model.json`, and install by the lock with its hashes; its base stays.

# %% exercise="q2"
layered = ...  # the Dockerfile (str)
layered_ignore = ...  # .dockerignore (str)
### BEGIN SOLUTION
layered = """\
FROM python:3.11.14-slim-bookworm
WORKDIR /app
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY model.json .
COPY delays/ delays/
USER 1000
CMD ["uvicorn", "delays.delay_api:app", "--host", "0.0.0.0", "--port", "8000"]
"""
layered_ignore = """\
*
!delays/*.py
!model.json
!requirements.lock
"""
### END SOLUTION

# %% check="q2"
lab.q2.check({"Dockerfile": layered, ".dockerignore": layered_ignore})

# %% tags=["demo"]
if isinstance(layered, str):
    print(
        rebuild_grid(image_model.build(layered, service, layered_ignore), after_each(layered, layered_ignore))
    )

# %% [markdown]
# ## 3 · The same content twice
#
# An auditor asks: “Is the image in production made of this commit?” You build the commit again and compare. If the bytes differ, nobody can say. What could differ, when the repository is the same? Look at one thing that Python itself does.
#
# **Before you run it:** one source, compiled twice, two seconds apart. The same bytes?


# %% tags=["demo"]
def compiled(place: Path, saved: int, epoch: str) -> bytes:
    """The byte code of one line of Python whose file was saved at that second."""
    source = place / "m.py"
    source.write_text("answer = 42\n")
    os.utime(source, (saved, saved))
    env = {**os.environ, **({"SOURCE_DATE_EPOCH": epoch} if epoch else {})}
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-f", str(place)], env=env, check=True)
    return next(place.rglob("*.pyc")).read_bytes()


with tempfile.TemporaryDirectory() as place:
    for epoch in ("", "1700000000"):
        one, two = (compiled(Path(place), saved, epoch) for saved in (1_800_000_000, 1_800_000_002))
        print(
            f"SOURCE_DATE_EPOCH={epoch or '(not set)':11} {'the same' if one == two else 'different'} bytes"
        )

# %% [markdown]
# [**Byte code**](glossary.ipynb#byte-code) holds the date of its source, unless [**SOURCE_DATE_EPOCH**](glossary.ipynb#SOURCE_DATE_EPOCH) is set: the agreed variable for “take this time instead”. `pip install` compiles: of a virtual environment with Flask's lock, made twice, 913 of 1,943 files differed without it, and none with it (measured). Give it the time of the commit:
# `docker build --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) .`, and `ARG SOURCE_DATE_EPOCH` where it is needed.
#
# The clock is one of five leaks. `twice_built` builds on two days, a week apart, and names what has moved.

# %% tags=["demo"]
from build_contexts import a_week_later
from twice_built import moved

leaky = """\
FROM python:3.11-slim
RUN apt-get update && apt-get upgrade -y
COPY . /app
RUN pip install fastapi "uvicorn>=0.38"
RUN date > /app/built-at
"""
print(*moved(leaky, "", service, a_week_later(service)), sep="\n")

# %% [markdown]
# A [**tag**](glossary.ipynb#tag) is a name that its owner may move; `python:3.11.14-slim-bookworm` moves, too, with each fix of Debian's. A [**digest**](glossary.ipynb#digest) is the hash of the image itself. `docker buildx imagetools inspect` prints it; the registry behind `pinned` is made up for this lesson.
#
# **q3 · 3 points.** A `Dockerfile` and a `.dockerignore` for the service by which two builds of the same commit hold the same bytes: base by digest, nothing from apt, packages by the lock, no clock, no machine's own files. The program must be whole, as in q2.

# %%
from twice_built import pinned

base = pinned("python:3.11.14-slim-bookworm")
base

# %% exercise="q3"
reproducible = ...  # the Dockerfile (str); its FROM is the base above
reproducible_ignore = ...  # .dockerignore (str)
### BEGIN SOLUTION
reproducible = f"""\
FROM {base}
ARG SOURCE_DATE_EPOCH
WORKDIR /app
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY model.json .
COPY delays/ delays/
USER 1000
CMD ["uvicorn", "delays.delay_api:app", "--host", "0.0.0.0", "--port", "8000"]
"""
reproducible_ignore = layered_ignore
### END SOLUTION

# %% check="q3"
lab.q3.check({"Dockerfile": reproducible, ".dockerignore": reproducible_ignore})

# %% [markdown]
# A pinned image gets no fixes by itself: that is the price. Let a bot propose the next digest and the next lock as a change that your tests see (module 04), and you have both.
#
# *A natural stop: about 45 minutes.*

# %% [markdown]
# ## 4 · A model behind an API
#
# The model is a table: the share of late flights by carrier, airport and hour, mixed with the whole where flights are few. As a file it is JSON, which loads without running anything; a pickle runs what is in it.
# Two services answer with it. Read both; **predict** which of them refuses an hour of 99, and by which line.

# %% tags=["demo"]
for name in ("delay_api", "delay_flask"):
    text = (lab.path / "delays" / f"{name}.py").read_text()
    print(f"--- {name}.py", text[text.index("@app.post") :].strip(), sep="\n")

# %% [markdown]
# Both do. **FastAPI** reads the types and refuses by itself (422); with **Flask** it is written by hand. FastAPI's server is uvicorn ([**ASGI**](glossary.ipynb#ASGI)), Flask's is gunicorn (WSGI); `flask run` is for development only.
#
# Now an image for it. `image_runner` lays the image's files into a folder and runs its start command here, with this environment's packages; where it says 0.0.0.0, it gets 127.0.0.1, and a free port. This one has three faults. Does it answer?

# %% tags=["demo"]
from image_runner import Rootfs

careless = (
    layered
    if isinstance(layered, str)
    else slow_build.replace("COPY . .", "COPY delays delays\nCOPY requirements.lock ./")
)
careless = careless.replace("COPY model.json .\n", "").replace('"0.0.0.0"', '"127.0.0.1"')
image = image_model.build(careless, service).image
with tempfile.TemporaryDirectory() as place, Rootfs(image, Path(place)).serving() as running:
    print("/health ", running.ask("/health"))
    print(
        "/predict",
        running.ask("/predict", json.dumps({"carrier": "UA", "origin": "EWR", "hour": 17}).encode()),
    )
print("health check:", image.health)

# %% [markdown]
# It runs, and can answer nothing: its model stayed behind. Whoever only asks whether the process is alive would send it passengers. It also listens on the container's own loopback, where nobody outside reaches it, and it has no health check.
#
# **q4 · 4 points.** The image of the service, with FastAPI or Flask (then `requirements-flask.lock`, `gunicorn`, `delays.delay_flask:app`). It answers from outside, ends when `docker stop` says so, is not root, says by `EXPOSE` on which port it listens, and its `HEALTHCHECK`
# fails when the service is down **and** when it has no model. No `curl` in a slim image. As in q1: exact base, nothing superfluous, no word from hadolint.

# %% exercise="q4"
api_dockerfile = ...  # the Dockerfile (str)
api_ignore = ...  # .dockerignore (str)
### BEGIN SOLUTION
api_dockerfile = """\
FROM python:3.11.14-slim-bookworm
WORKDIR /app
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY model.json .
COPY delays/ delays/
ENV PYTHONUNBUFFERED=1
USER 1000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \\
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD ["uvicorn", "delays.delay_api:app", "--host", "0.0.0.0", "--port", "8000"]
"""
api_ignore = layered_ignore
### END SOLUTION

# %% check="q4"
lab.q4.check({"Dockerfile": api_dockerfile, ".dockerignore": api_ignore})

# %% [markdown]
# Where an engine is at hand, this cell builds your image and shows what it is made of; else it says so.

# %% tags=["demo"]
import docker_engine

engine = docker_engine.engine()
try:
    if isinstance(engine, str) or not isinstance(api_dockerfile, str):
        print("Skipped:", engine if isinstance(engine, str) else "there is no Dockerfile yet")
    else:
        with engine.built(api_dockerfile, service, api_ignore) as built:
            print(
                f"built in {built.seconds:.0f} s, {built.about()['megabytes']} MB, user {built.about()['user']}"
            )
            print(*(f"{step['size']:>8}  {step['made_by'][:90]}" for step in built.history()), sep="\n")
except docker_engine.EngineError as refused:
    print("Skipped:", refused)

# %% [markdown]
# ## 5 · Several containers: compose
#
# The night's run has four parts. `db` is a PostgreSQL. `etl` is a job: it writes a day into the database, and ends. `api` answers from what the ETL wrote; its image has a health check. `dashboard` asks the API.
#
# ```mermaid
# flowchart LR
#   db[(db)] -- healthy --> etl -- done --> api -- healthy --> dashboard
# ```
#
# *In words:* the ETL needs a healthy database, the API an ETL that is done, the dashboard a healthy API. A [**compose file**](glossary.ipynb#compose-file) says it in one place.
# This one lists who depends on whom. **Predict:** the database's first start takes 35 seconds, for it sets itself up. When does the ETL start?

# %% tags=["demo"]
import compose_order
from compose_order import Check, Role
from docker_charts import start_order

first_night = {
    "db": Role(ready=35, socket=2),
    "etl": Role(ready=6, job=True, wants={"db": "ready"}),
    "api": Role(
        ready=4, wants={"etl": "done"}, check=Check("http", interval=5, start_period=60, start_interval=1)
    ),
    "dashboard": Role(ready=1, wants={"api": "ready"}),
}
listed = """\
services:
  db: {image: "postgres:18.4-bookworm"}
  etl: {image: "flights-etl:1.4.2", depends_on: [db]}
  api: {image: "delays-api:2.0.1", depends_on: [etl]}
  dashboard: {image: "delays-dashboard:0.3.0", depends_on: [api]}
"""
print(start_order(compose_order.simulate(compose_order.read(listed), first_night)))

# %% [markdown]
# At once: a list means *started*, and a process that has started is not yet a service. `depends_on` knows two more **conditions**: `service_healthy` for servers, `service_completed_successfully` for jobs. (`compose_order` simulates Compose's rules second by second;
# `links:` and `version: "3"`, as one wrote in 2021, are gone, and Compose warns of the latter.)
#
# **q5 · 3 points.** Write the compose file of the four services, images as above. Good nights must come up, bad ones must start nothing on broken ground: a first start may take 45 seconds, and once the database is ready the ETL starts within 15; an ETL that fails leaves the API down. The database's password comes from
# `DB_PASSWORD` in the environment, its data stay in a named volume at `/var/lib/postgresql`, and the API is published on port 8000 of this machine only.

# %% exercise="q5"
compose_file = ...  # the text of compose.yaml (str)
### BEGIN SOLUTION
compose_file = """\
services:
  db:
    image: postgres:18.4-bookworm
    environment:
      POSTGRES_PASSWORD: ${DB_PASSWORD:?set it in .env, which Git does not know}
    volumes: ["db:/var/lib/postgresql"]
    healthcheck:
      test: [CMD, pg_isready, -h, 127.0.0.1, -U, postgres]
      interval: 5s
      start_period: 120s
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
### END SOLUTION

# %% check="q5"
lab.q5.check(compose_file)

# %% tags=["demo"]
if isinstance(compose_file, str):
    print(start_order(compose_order.simulate(compose_order.read(compose_file), first_night)))

# %% [markdown]
# *A natural stop: about 90 minutes.*
#
# ## Drill: it works on my machine
#
# The next cell pages you. The clock runs until the check passes.

# %%
incident = lab.drill()
incident

# %%
works = lab.workdir / "works"
for machine in ("laptop", "ci"):
    for name in ("run.log", "freeze.txt", "history.txt"):
        print(f"--- {machine}/{name}", (works / machine / name).read_text(), sep="\n")

# %% [markdown]
# The rest of the evidence: the commits, what is asked for, and how the image is made.

# %%
for name in ("commits.txt", "requirements.txt", "Dockerfile", "report.py"):
    print(f"--- {name}", (works / name).read_text(), sep="\n")
print(*sorted(path.name for path in (works / "wheels").iterdir()), sep="\n")

# %% [markdown]
# `wheelhouse` installs as pip does from the folder of [**wheels**](glossary.ipynb#wheel): the newest version that fits. You can try any list of packages:
# `wheelhouse.install(list, wheels, folder)`, then `wheelhouse.run(report, csv, packages=folder).stdout`.

# %%
import wheelhouse

mine = (works / "laptop" / "freeze.txt").read_text()

# %% tags=["demo"]
print(wheelhouse.install(mine, works / "wheels", works / "trial-0"))
print(wheelhouse.run(works / "report.py", works / "flights.csv", packages=works / "trial-0").stdout)

# %% [markdown]
# **Repair it · 4 points.** Name the release that changed the report (`culprit`, such as `"nyc-shares==0.8.0"`). Write a `lock` by which the report is the laptop's today, next week when everything has newer releases, and never with a file that was exchanged under its old version. Write the
# `Dockerfile` that installs by it, from a base with an exact version. `wheelhouse.lock(list, wheels)` may help. As soon as you know: `incident.detected("…")`. Hints: `incident.hint()`.

# %% exercise="drill"
culprit = ...  # "name==version" (str)
locked = ...  # the text of requirements.lock (str)
locked_dockerfile = ...  # the text of the Dockerfile (str)
### BEGIN SOLUTION
theirs = (works / "ci" / "freeze.txt").read_text()
wheelhouse.install(mine, works / "wheels", works / "mine")
wanted = wheelhouse.run(works / "report.py", works / "flights.csv", packages=works / "mine").stdout
for pin in sorted(set(theirs.split()) - set(mine.split())):
    name = pin.partition("==")[0]
    mixed = "\n".join([pin, *(line for line in mine.split() if not line.startswith(f"{name}=="))])
    wheelhouse.install(mixed, works / "wheels", works / f"trial-{name}")
    if (
        wheelhouse.run(works / "report.py", works / "flights.csv", packages=works / f"trial-{name}").stdout
        != wanted
    ):
        culprit = pin
locked = wheelhouse.lock(mine, works / "wheels")
locked_dockerfile = """\
FROM python:3.11.14-slim-bookworm
WORKDIR /app
COPY requirements.lock .
RUN --mount=type=bind,source=wheels,target=/wheels \\
    pip install --no-cache-dir --no-index --find-links /wheels --require-hashes -r requirements.lock
COPY report.py .
USER 1000
CMD ["python", "report.py", "flights.csv"]
"""
### END SOLUTION

# %% check="drill"
incident.check({"desk": works, "culprit": culprit, "lock": locked, "Dockerfile": locked_dockerfile})

# %% [markdown]
# The form for the postmortem, with your times in it:

# %% tags=["demo"]
incident.postmortem()

# %% [markdown]
# <details><summary>What had happened (open it when your check has passed)</summary>
#
# **Timeline.** Three weeks ago the laptop installs `nyc-ontime==3.1.0`, and with it whatever was newest of what *that* needs. This week two of these have new releases. Last night CI builds the image, its cache gone, and gets them. One of them counts differently.
#
# **What went well:** somebody compared two figures. **What was luck:** the laptop had not been set up anew. **Wrong first guesses:** the commit (it touched the README), and the base (its tag did move, and changes no number here).
# **One change to the system:** a lock with hashes for everything that is installed, written by a tool, raised by a bot, tested like code. A pinned direct requirement pins one package of four.
#
# </details>

# %% [markdown]
# ## What stays
#
# One letter each:
#
# - **layer** · A file of code changes. Built again are **a** all layers · **b** the one that copies it, and those after it · **c** the last one
# - **tag** · `python:3.11.14-slim-bookworm` a month from now is **a** the same bytes · **b** gone · **c** perhaps another image; only a digest is bytes
# - **secret** · A file with a password was copied, used, and deleted by a later line. It is **a** gone · **b** in the build cache only · **c** in a layer, for whoever has the image
# - **health** · A health check should ask **a** whether the work can be done · **b** whether the process runs · **c** whether the port is open
# - **order** · `depends_on: [db]` waits until db **a** can answer · **b** has been started · **c** has ended

# %% exercise="quiz"
answers = {"layer": ..., "tag": ..., "secret": ..., "health": ..., "order": ...}
### BEGIN SOLUTION
answers = {"layer": "b", "tag": "c", "secret": "c", "health": "a", "order": "b"}
### END SOLUTION

# %% check="quiz"
lab.quiz.check(answers)

# %% [markdown]
# You can now
#
# - ☑ write a Dockerfile for a Spark job: small, pinned, without root, without your secrets (q1);
# - ☑ order its layers so that a change of code rebuilds one (q2), and make two builds give the same bytes (q3);
# - ☑ package a model behind an API that knows its own health, and call it (q4);
# - ☑ write a compose file in which nothing starts on broken ground (q5);
# - ☑ find why “it works on my machine”, and close the hole (drill).
#
# A tick holds when its check above has passed; the page `index.ipynb` keeps the list. The lab's folder `images/` holds the files as a team would keep them, with labels from which scanners and lists of contents (an [**SBOM**](glossary.ipynb#SBOM), a software bill of materials) are made.
#
# **To talk about.** Pinned images are old images, moving ones are somebody else's: how many days may lie between a fix and your image, and who answers for it? Which of your containers would you let run as root, and what would you want in return?
#
# **Read on** in the tools' own manuals: [Dockerfile](https://docs.docker.com/reference/dockerfile/), [build cache](https://docs.docker.com/build/cache/), [build secrets](https://docs.docker.com/build/building/secrets/), [start order in Compose](https://docs.docker.com/compose/how-tos/startup-order/),
# [hadolint](https://github.com/hadolint/hadolint), [reproducible builds](https://reproducible-builds.org/docs/), [FastAPI in containers](https://fastapi.tiangolo.com/deployment/docker/), [OCI labels](https://specs.opencontainers.org/image-spec/annotations/).
#
# **What a professional does next:** has CI (module 04) build, scan and sign the image, and deploys it by its digest. Next: module 06 starts such containers by a timetable.
