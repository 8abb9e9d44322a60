"""The receivers of Slack's and OpenLineage's posts, and the Git remote, with the clients that labs use."""

import json
import subprocess
import urllib.parse
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flightschool import services
from flightschool.errors import FlightSchoolError
from flightschool.services import Unavailable
from flightschool.services.base import request

# --- Slack


def post(url: str, body: object, content_type: str = "application/json") -> tuple[int, bytes]:
    """One post to an address of this machine."""
    parts = urllib.parse.urlsplit(url)
    assert parts.port
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return request(parts.port, parts.path, method="POST", body=data, headers={"Content-Type": content_type})


BLOCKS = [
    {"type": "header", "text": {"type": "plain_text", "text": "ETL is late"}},
    {"type": "section", "fields": [{"type": "mrkdwn", "text": "*day* 2013-02-08"}]},
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "by the scheduler"}]},
]


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({"text": "ETL failed"}, "ETL failed"),
        ({"blocks": BLOCKS}, "ETL is late\n*day* 2013-02-08\nby the scheduler"),
        (
            {
                "attachments": [
                    {"title": "Late", "text": "by 5 min", "fields": [{"title": "day", "value": "8"}]}
                ]
            },
            "Late\nby 5 min\nday: 8",
        ),
        ({"attachments": [{"color": "danger", "blocks": BLOCKS[:1]}]}, "ETL is late"),
    ],
)
def test_slack_takes_what_slack_takes(payload: dict[str, Any], text: str) -> None:
    slack = services.slack()
    assert post(slack.url, payload) == (200, b"ok")
    assert post(slack.url, urllib.parse.urlencode({"payload": json.dumps(payload)}).encode(), FORM)[0] == 200
    first, second = slack.messages()
    assert first == second == payload
    assert first.text == text


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("payload", "status", "says"),
    [
        (b"no json", 400, b"invalid_payload"),
        (b"[" * 100_000, 400, b"invalid_payload"),
        (b'"text"', 400, b"invalid_payload"),
        ({"text": 5}, 400, b"invalid_payload"),
        ({}, 400, b"no_text"),
        ({"text": ""}, 400, b"no_text"),
        ({"blocks": []}, 400, b"no_text"),
        ({"blocks": [{"text": "untyped"}]}, 400, b"invalid_blocks"),
        ({"blocks": BLOCKS * 17}, 400, b"invalid_blocks"),
        ({"text": "x", "attachments": ["x"]}, 400, b"invalid_attachments"),
        ({"attachments": [{"text": "x"}] * 101}, 400, b"too_many_attachments"),
        (b"x" * (2**20 + 1), 413, b""),
    ],
)
def test_slack_refuses_what_slack_refuses(payload: object, status: int, says: bytes) -> None:
    slack = services.slack()
    assert post(slack.url, payload) == (status, says)
    assert slack.messages() == []


def test_slack_at_another_address() -> None:
    slack = services.slack()
    assert post(f"{slack.endpoint}/services/T1/B1/guess", {"text": "x"}) == (403, b"invalid_token")
    assert post(f"{slack.endpoint}/somewhere", {"text": "x"}) == (404, b"no_team")
    assert slack.request("/received/guess")[0] == 404
    assert slack.request("/received/guess", method="DELETE")[0] == 404
    assert len(slack.url.rsplit("/", 1)[1]) >= 24
    assert slack.url not in slack.log.read_text()


def test_slack_shows_messages_and_trusts_none() -> None:
    slack = services.slack()
    post(slack.url, {"text": "<script>alert(1)</script>", "username": "<b>bot"})
    post(slack.url, {"attachments": [{"text": "late", "color": '"><script>'}]})
    post(slack.url, {"attachments": [{"text": "red", "color": "danger"}]})
    shown = slack._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;alert(1)" in shown
    assert "&lt;b&gt;bot" in shown
    assert "#a30200" in shown
    slack.clear()
    assert slack.messages() == []
    slack.stop()
    assert "stopped" in slack._repr_html_()
    with pytest.raises(Unavailable, match=r"services\.slack\(\)"):
        slack.messages()


# --- OpenLineage


def test_openlineage_takes_its_own_clients_events(monkeypatch: pytest.MonkeyPatch) -> None:
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import Dataset, Job, Run, RunEvent, RunState

    receiver = services.openlineage()
    monkeypatch.setenv("OPENLINEAGE_URL", receiver.env()["OPENLINEAGE_URL"])
    client = OpenLineageClient()
    run = Run(runId=str(uuid.uuid4()))
    for state in (RunState.START, RunState.COMPLETE):
        client.emit(
            RunEvent(
                eventType=state,
                eventTime=datetime.now(UTC).isoformat(),
                run=run,
                job=Job(namespace="flights", name="load"),
                producer="https://example.org/etl",
                inputs=[Dataset(namespace="s3://lake", name="day")],
                outputs=[],
            )
        )
    client.close()
    assert [one["eventType"] for one in receiver.events()] == ["START", "COMPLETE"]
    assert {one["run"]["runId"] for one in receiver.events()} == {run.runId}
    assert receiver.events()[0]["inputs"][0]["name"] == "day"


RUN = {
    "eventTime": "2013-02-08T10:00:00Z",
    "producer": "https://example.org/etl",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    "eventType": "START",
    "run": {"runId": "3f5e83fa-3480-44ff-99c5-ff943904e5e8"},
    "job": {"namespace": "flights", "name": "load"},
}
FACET = {"_producer": "https://example.org", "_schemaURL": "https://example.org/facet.json"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"eventTime": None}, "eventTime"),
        ({"eventTime": "yesterday"}, "eventTime"),
        ({"eventTime": "2013-02-08T10:00:00"}, "eventTime"),
        ({"producer": "me"}, "producer"),
        ({"eventType": "BEGIN"}, "eventType"),
        ({"run": {}}, "runId"),
        ({"run": {"runId": "7"}}, "runId"),
        ({"job": {"name": "load"}}, "namespace"),
        ({"outputs": [{"name": "day"}]}, "namespace"),
        ({"run": {**RUN["run"], "facets": {"x": {}}}}, "_producer"),  # type: ignore[dict-item]
    ],
)
def test_openlineage_refuses_what_the_specification_forbids(change: dict[str, Any], says: str) -> None:
    receiver = services.openlineage()
    url = receiver.url + "/api/v1/lineage"
    assert post(url, RUN)[0] == 201
    status, body = post(url, RUN | change)
    assert status == 400
    assert says in json.loads(body)["message"]
    for key in ("eventTime", "producer", "schemaURL"):
        assert post(url, {k: v for k, v in RUN.items() if k != key})[0] == 400
    assert len(receiver.events()) == 1


def test_openlineage_takes_events_of_jobs_and_datasets_and_facets() -> None:
    receiver = services.openlineage()
    url = receiver.url + "/api/v1/lineage"
    base = {key: RUN[key] for key in ("eventTime", "producer", "schemaURL")}
    assert post(url, base | {"job": RUN["job"]})[0] == 201
    assert (
        post(url, base | {"dataset": {"namespace": "s3://lake", "name": "day", "facets": {"x": FACET}}})[0]
        == 201
    )
    assert post(url, base)[0] == 400
    assert post(url, b"{")[0] == 400
    assert post(url, [RUN])[0] == 400
    assert post(receiver.url + "/elsewhere", RUN)[0] == 404
    assert len(receiver.events()) == 2


# --- Git


def git(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.hooksPath=/nowhere"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=where, capture_output=True, text=True, check=False
    )


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with one commit on main."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "dag.py").write_text("print('one')")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "dag.py")
    assert git(folder, "commit", "--quiet", "-m", "Say one").returncode == 0
    return folder


def test_git_takes_pushes_and_gives_clones(work: Path, tmp_path: Path) -> None:
    remote = services.git()
    assert remote.pushes() == []
    assert git(work, "push", remote.url, "main").returncode == 0
    (push,) = remote.pushes()
    assert push.ref == "refs/heads/main"
    assert push.old == "0" * 40
    assert push.new == git(work, "rev-parse", "main").stdout.strip()
    assert git(tmp_path, "clone", "--quiet", remote.endpoint, "clone").returncode == 0
    assert (tmp_path / "clone" / "dag.py").read_text() == "print('one')"
    assert git(work, "push", remote.endpoint, "main:other").returncode != 0, "the daemon knows no users"
    assert {host for host, _port in remote.listening()} == {"127.0.0.1"}


def test_git_hooks_run_and_refuse(work: Path, tmp_path: Path) -> None:
    remote = services.git()
    remote.hook("pre-receive", "#!/bin/sh\necho not on a Friday >&2\nexit 1\n")
    refused = git(work, "push", remote.url, "main")
    assert refused.returncode != 0
    assert "not on a Friday" in refused.stderr
    assert remote.pushes() == []
    remote.hook("pre-receive", None)
    remote.hook("post-receive", f"#!/bin/sh\ncat >{tmp_path}/seen\n")
    assert git(work, "push", remote.url, "main").returncode == 0
    assert "refs/heads/main" in (tmp_path / "seen").read_text()
    assert len(remote.pushes()) == 1, "a hook of one's own does not switch the log off"


def test_git_hooks_that_cannot_be() -> None:
    remote = services.git()
    with pytest.raises(FlightSchoolError, match="no hook 'pre-commit'"):
        remote.hook("pre-commit", "#!/bin/sh\n")
    with pytest.raises(FlightSchoolError, match="interpreter"):
        remote.hook("update", "exit 0")
    remote.stop()
    with pytest.raises(Unavailable, match=r"services\.git\(\)"):
        remote.hook("update", "#!/bin/sh\n")
    assert not Path(remote.url).exists()
