"""A Spark standalone cluster: one master and two workers, of pip's pyspark."""

import importlib.util
import json
import os
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flightschool.i18n import _
from flightschool.services.base import LOOPBACK, PythonService, Unavailable
from flightschool.services.servers.home import Housed
from flightschool.services.servers.program import program

TOGETHER = Path(__file__).with_name("together.py")
WORKERS = 2
COMPOSE_MASTER = 7077
IPV4 = "-Djava.net.preferIPv4Stack=true"
DAEMON = f"{IPV4} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss512k"
"""What makes a Java process that does little start soon and stay small."""


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
        (home / "conf").mkdir()
        # Its door for applications by REST has a fixed port and asks nobody who they are.
        (home / "conf" / "spark-defaults.conf").write_text("spark.master.rest.enabled false\n")

    def command(self, port: int) -> Sequence[str]:
        if not os.environ.get("JAVA_HOME"):
            program("Java", "openjdk-17-jre-headless", "java")
        start = [str(spark_home() / "bin" / "spark-class")]
        place = ["--host", LOOPBACK, "--port"]
        master = ["org.apache.spark.deploy.master.Master", *place, str(self.ports["master"])]
        commands = [[*start, *master, "--webui-port", str(port)]]
        for number in range(1, WORKERS + 1):
            own = f"worker-{number}"
            worker = ["org.apache.spark.deploy.worker.Worker", *place, str(self.ports[own])]
            worker += ["--webui-port", str(self.ports[f"{own}-page"]), "--work-dir", f"{self.home}/{own}"]
            commands.append([*start, *worker, "--cores", "1", "--memory", "1g", self.master])
        # A worker that finds no master tries again only after several seconds.
        after = [0, *[self.ports["master"]] * WORKERS]
        return self.python(str(TOGETHER), json.dumps(commands), json.dumps(after))

    def environment(self) -> Mapping[str, str]:
        return {
            **self.env(),
            "SPARK_HOME": str(spark_home()),
            "SPARK_CONF_DIR": f"{self.home}/conf",
            "SPARK_PUBLIC_DNS": LOOPBACK,
            "SPARK_LOCAL_DIRS": f"{self.home}",
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": DAEMON,
        }

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


def spark_home() -> Path:
    """The folder of pip's pyspark.

    Raises:
        Unavailable: it is not installed.
    """
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None or shutil.which("bash") is None:
        raise Unavailable(_("Spark is not installed: run environment/setup."))
    return Path(spec.origin).parent
