"""A Spark standalone cluster: one master and two workers, of pip's pyspark."""

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from flightschool.i18n import _
from flightschool.services.base import LOOPBACK, PythonService, Unavailable, free_ports, request
from flightschool.services.process import Supervised
from flightschool.services.servers.home import Housed, template
from flightschool.services.servers.program import program

TOGETHER = Path(__file__).with_name("together.py")
WORKERS = 2
MASTER, WORKER = "org.apache.spark.deploy.master.Master", "org.apache.spark.deploy.worker.Worker"
COMPOSE_MASTER = 7077
IPV4 = "-Djava.net.preferIPv4Stack=true"
DAEMON = f"{IPV4} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss512k -Xmx256m"
"""What makes a Java process that does little start soon and stay small."""
ARCHIVE = "classes.jsa"
PATIENCE = 60.0
"""Seconds for a master to answer and to write its archive."""


class Spark(Housed, PythonService):
    """Spark's own cluster manager on this machine: a master and two workers of one core and 1 GB each.

    Ready when both workers have registered. Each application takes one Java process (an executor) a worker.
    """

    name = "spark"
    timeout = 90.0
    told = ("ports",)
    doors = ("master", "worker-1", "worker-1-page", "worker-2", "worker-2-page")

    @property
    def label(self) -> str:
        return _("Spark cluster (master and two workers)")

    @property
    def endpoint(self) -> str:
        return self.master

    @property
    def master(self) -> str:
        """What `SparkSession.builder.master(…)` wants."""
        return f"spark://{self.host}:{self.ports.get('master', 0)}"

    @property
    def page(self) -> str:
        """The master's web page."""
        return f"http://{self.host}:{self.port}"

    @property
    def folder(self) -> Path | None:
        return self.home

    def config(self) -> dict[str, str]:
        """Settings for the driver, which keep it on loopback and its executors small."""
        return {
            "spark.master": self.master,
            "spark.driver.host": LOOPBACK,
            "spark.driver.bindAddress": LOOPBACK,
            "spark.executor.memory": "512m",
            "spark.executor.cores": "1",
            "spark.executor.extraJavaOptions": IPV4,
            "spark.pyspark.python": sys.executable,
        }

    def env(self) -> dict[str, str]:
        """Variables for a process that runs a driver, so that its own page stays on loopback too."""
        return {"SPARK_LOCAL_IP": LOOPBACK, "PYSPARK_PYTHON": sys.executable}

    def furnish(self, home: Path) -> None:
        configure(home)

    def command(self, port: int) -> Sequence[str]:
        start = daemon(kept())
        place = ["--host", LOOPBACK, "--port"]
        master = [MASTER, *place, str(self.ports["master"])]
        commands = [[*start, *master, "--webui-port", str(port)]]
        for number in range(1, WORKERS + 1):
            own = f"worker-{number}"
            worker = [WORKER, *place, str(self.ports[own])]
            worker += ["--webui-port", str(self.ports[f"{own}-page"]), "--work-dir", f"{self.home}/{own}"]
            commands.append([*start, *worker, "--cores", "1", "--memory", "1g", self.master])
        # A worker that finds no master tries again only after several seconds.
        after = [0, *[self.ports["master"]] * WORKERS]
        return self.python(str(TOGETHER), json.dumps(commands), json.dumps(after))

    def environment(self) -> Mapping[str, str]:
        assert self.home is not None
        return {**self.env(), **settings(self.home), "SPARK_LOCAL_DIRS": f"{self.home}"}

    def answers(self) -> bool:
        return len(self.workers()) == WORKERS

    def workers(self) -> list[dict[str, Any]]:
        """The workers that are alive, as the master describes them."""
        status, body = self.request("/json/")
        if status != 200:
            return []
        return [worker for worker in json.loads(body)["workers"] if worker["state"] == "ALIVE"]


class ComposeSpark(Spark):
    """The cluster of compose, which only other containers reach; its executors call back to the driver's container."""

    @property
    def label(self) -> str:
        return _("Spark cluster")

    def at_compose(self, settings: Mapping[str, str]) -> None:
        self.ports = {"master": COMPOSE_MASTER}

    def config(self) -> dict[str, str]:
        return {
            **super().config(),
            "spark.driver.host": socket.gethostname(),
            "spark.driver.bindAddress": "0.0.0.0",  # noqa: S104 - of the container
        }

    def env(self) -> dict[str, str]:
        return {"PYSPARK_PYTHON": sys.executable}


def settings(home: Path) -> dict[str, str]:
    """Variables of a master or worker that is configured in that folder."""
    [core] = (spark_home() / "jars").glob("spark-core_*.jar")
    return {
        "SPARK_HOME": str(spark_home()),
        "SPARK_SCALA_VERSION": core.name.split("_")[1].split("-")[0],  # a worker wants it for its executors
        "SPARK_CONF_DIR": f"{home}/conf",
        "SPARK_PUBLIC_DNS": LOOPBACK,
    }


def configure(home: Path) -> None:
    """Write Spark's settings into a new folder."""
    (home / "conf").mkdir()
    # Its door for applications by REST has a fixed port and asks nobody who they are.
    (home / "conf" / "spark-defaults.conf").write_text("spark.master.rest.enabled false\n")


def java() -> str:
    """The Java that Spark's own scripts would take. Raises Unavailable when there is none."""
    home = os.environ.get("JAVA_HOME")
    return f"{home}/bin/java" if home else program("Java", "openjdk-17-jre-headless", "java")


def daemon(*options: str) -> list[str]:
    """What a master's or worker's command begins with; Spark's own script would start a second Java to find it out."""
    jars = sorted(map(str, (spark_home() / "jars").glob("*.jar")))
    return [java(), *options, *DAEMON.split(), "-cp", ":".join(jars)]


def kept() -> str:
    """The option that gives Java the classes of a master as an earlier one had them in memory.

    That halves what each of the three takes to start. The archive is made once for a state folder, a Spark and a Java; a Java that
    can't use it starts without it.
    """
    program = Path(java()).resolve()
    stamp = hashlib.sha256(f"{program} {program.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    folder = template(f"spark-{importlib.metadata.version('pyspark')}-{stamp}", archive)
    return f"-XX:SharedArchiveFile={folder / ARCHIVE}" if (folder / ARCHIVE).exists() else "-Xshare:auto"


def archive(folder: Path) -> None:
    """Run a master until it answers, and let Java write its classes to that folder as it ends; nothing where Java can't."""
    configure(folder)
    port, page = free_ports(2)
    command = [*daemon(f"-XX:ArchiveClassesAtExit={folder / ARCHIVE}"), MASTER, "--host", LOOPBACK]
    process = Supervised(
        [*command, "--port", str(port), "--webui-port", str(page)],
        log=folder / "log",
        env={**os.environ, **settings(folder)},
        grace=PATIENCE,
    )
    try:
        end = time.monotonic() + PATIENCE
        while process.poll() is None and not _serves(page) and time.monotonic() < end:
            time.sleep(0.05)
    except BaseException:
        process.stop(now=True)
        raise
    process.stop()


def _serves(page: int) -> bool:
    with suppress(OSError):
        return request(page, "/json/")[0] == 200
    return False


def spark_home() -> Path:
    """The folder of pip's pyspark.

    Raises:
        Unavailable: it is not installed.
    """
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise Unavailable(_("Spark is not installed: run environment/setup."))
    return Path(spec.origin).parent
