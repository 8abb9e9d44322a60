"""The command line and the Spark session as a user meets them."""

import ast
import os
import subprocess
import sys
import textwrap
from datetime import date
from pathlib import Path

import etl
import psutil
import pytest
from etl.__main__ import main

DAY = date(2013, 2, 8)


def test_the_stages_one_by_one(tmp_path, spark, source, deliver, flights, capsys):
    deliver(flights(60))
    day, lake = ["--day", "2013-02-08"], ["--lake", str(tmp_path / "lake")]
    assert main(["ingest", *day, *lake, "--source", str(source)]) == 0
    assert main(["transform", *day, *lake]) == 0
    assert main(["load", *day, *lake]) == 0
    out, err = capsys.readouterr()
    assert [line.split(":")[0] for line in out.splitlines()] == [
        f"{stage} 2013-02-08" for stage in ("ingest", "transform", "load")
    ]
    assert err == ""
    assert etl.read_day(DAY, tmp_path / "lake").num_rows == 60
    assert main(["run", *day, *lake, "--source", str(source)]) == 0
    assert etl.read_day(DAY, tmp_path / "lake").num_rows == 60


def test_the_readme_runs(tmp_path, spark, deliver, flights, monkeypatch, capsys):
    deliver(flights(60)).parent.rename(tmp_path / "inbox")
    monkeypatch.chdir(tmp_path)
    text = (Path(etl.__file__).parent / "README.md").read_text()
    blocks = [block for block in text.split("\n\n") if block.startswith("    ")]
    commands = [line.split("#")[0] for line in blocks[0].splitlines()]
    assert len(commands) == 4
    for command in commands:
        words = command.replace("LAKE", "lake").replace("INBOX", "inbox").split()
        assert words[:3] == ["python", "-m", "etl"]
        assert main(words[3:]) == 0
    names: dict[str, object] = {}
    exec(textwrap.dedent("\n\n".join(blocks[1:])), names)
    assert names["flights"].num_rows == 60
    assert names["on_time"].num_rows > 0
    assert "load 2013-02-08: 60 rows in, 60 out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ingest", "--day", "2013-02-30", "--source", "."], "'2013-02-30' is not a day"),
        (["ingest", "--day", "yesterday", "--source", "."], "'yesterday' is not a day"),
        (["ingest", "--day", "2013-02-08", "--source", "."], "flights-2013-02-08.csv is not in ."),
        (["run", "--day", "2013-02-08", "--source", "nowhere"], "flights-2013-02-08.csv is not in nowhere"),
    ],
)
def test_a_mistake_gets_one_sentence_and_exit_code_2(tmp_path, arguments, words):
    command = [sys.executable, "-m", "etl", *arguments, "--lake", str(tmp_path / "lake")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "lake").exists()


def test_a_refused_file_gets_one_sentence_and_exit_code_2(tmp_path, source, deliver, capsys):
    deliver(b"spoilt\n")
    assert (
        main(["run", "--day", "2013-02-08", "--source", str(source), "--lake", str(tmp_path / "lake")]) == 2
    )
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "flights-2013-02-08.csv was refused" in err


@pytest.mark.parametrize("stage", ["transform", "load"])
def test_a_stage_too_early(tmp_path, spark, stage, capsys):
    assert main([stage, "--day", "2013-02-08", "--lake", str(tmp_path)]) == 2
    assert "first" in capsys.readouterr().err


def test_a_missing_argument_is_named(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["run", "--day", "2013-02-08", "--lake", "lake"])
    assert caught.value.code == 2
    assert "--source" in capsys.readouterr().err


def test_the_session_is_what_the_labs_count_on(spark):
    assert etl.spark_session() is spark
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
    }
    assert {name: spark.conf.get(name) for name in settings} == settings
    assert spark.sparkContext.master == "local[2]"
    assert spark.sparkContext.pythonExec == sys.executable


def test_nothing_listens_beyond_loopback(spark):
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening = [
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert {ip.removeprefix("::ffff:") for ip in listening} <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("java", "words"),
    [({}, "Spark needs Java and found none"), ({"JAVA_HOME": "/nowhere"}, "Spark did not start (")],
)
def test_no_java_is_one_sentence(tmp_path, java, words):
    code = "import etl\ntry: etl.spark_session()\nexcept etl.EtlError as error: print(error)"
    path = {"PATH": os.defpath} if java else {"PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"HOME": str(tmp_path), **path, **java},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.startswith(words)
    assert done.stdout.count("\n") == 1


def test_a_stopped_session_starts_again(tmp_path):
    code = "import etl\nfor _ in range(2):\n  spark = etl.spark_session()\n  print(spark.range(3).count())\n  spark.stop()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    assert (done.stdout, done.stderr) == ("3\n3\n", "")


def test_the_etl_stands_alone():
    """It is packaged, deployed and scheduled by itself, so it may not lean on the course's tooling."""
    for path in Path(etl.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.startswith("flightschool") for name in names), path
