"""The Spark session of the ETL: two cores, UTC, ANSI SQL, loopback only, and silent."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from etl.errors import SparkUnavailable

LOG = "driver.log"


def spark_session(master: str = "local[2]") -> SparkSession:
    """The running session of this process, or a new one; ``spark.stop()`` ends it.

    Scratch files, the warehouse folder and the JVM's own messages (``driver.log``) live in a temporary folder that
    goes with the process; nothing is written to the working folder. Raises SparkUnavailable.
    """
    # Workers must run the interpreter that has the packages, not the first python3 on the PATH.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    if SparkContext._gateway is None:
        _start_jvm(master)
    return SparkSession.builder.config(conf=_conf(master, _scratch())).getOrCreate()


def _start_jvm(master: str) -> None:
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise SparkUnavailable("Spark needs Java and found none: install Java 17 or set JAVA_HOME.")
    conf, log = _conf(master, _scratch()), _scratch() / LOG
    with log.open("ab") as stderr:
        try:
            # The JVM's greetings ("incubator modules" …) can't be switched off by an option, only led aside.
            gateway = launch_gateway(conf, popen_kwargs={"stderr": stderr})  # type: ignore[no-untyped-call]
            SparkContext(conf=conf, gateway=gateway)
        except (PySparkException, Py4JError) as error:
            said = log.read_text(errors="replace").strip().splitlines() or [str(error)]
            cause = next((line for line in said if "Error" in line or "Exception" in line), said[-1])
            raise SparkUnavailable(
                f"Spark did not start ({cause.strip().rstrip('.')}): check JAVA_HOME and the memory that is free."
            ) from None


def _conf(master: str, scratch: Path) -> SparkConf:
    settings = {
        "spark.master": master,
        "spark.app.name": "etl",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        # A day is seconds of work: the second compiler would cost more than it earns.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.local.dir": str(scratch),
        "spark.sql.ansi.enabled": "true",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": (scratch / "warehouse").as_uri(),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    return SparkConf().setAll(list(settings.items()))


def _scratch() -> Path:
    global _folder
    if _folder is None:
        _folder = Path(tempfile.mkdtemp(prefix="etl-spark-"))
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    return _folder


_folder: Path | None = None
