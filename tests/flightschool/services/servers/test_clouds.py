"""Azure Blob Storage and Google Cloud Storage for real, by pyarrow's filesystems."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.fs
import pytest

from flightschool import services
from flightschool.services import StartError, Unavailable, npm
from flightschool.services.base import request
from flightschool.services.servers.azure import AzureBlob
from flightschool.services.servers.gcs import GoogleStorage

# --- Azure


@pytest.fixture(scope="module")
def azure(state: Path) -> AzureBlob:
    try:
        return services.azure()
    except Unavailable as reason:
        pytest.skip(str(reason))


def test_azure_keeps_blobs(azure: AzureBlob) -> None:
    assert azure.send("PUT", "lake", {"restype": "container"})[0] == 201
    files = azure.filesystem()
    with files.open_output_stream("lake/day=2013-02-08/a.txt") as file:
        file.write(b"snow")
    assert azure.send("GET", "lake/day=2013-02-08/a.txt") == (200, b"snow")
    found = files.get_file_info(pyarrow.fs.FileSelector("lake", recursive=True))
    assert {one.path for one in found if one.is_file} == {"lake/day=2013-02-08/a.txt"}


def test_azure_wants_its_own_key_which_is_generated(azure: AzureBlob) -> None:
    assert AzureBlob().key != azure.key
    assert len(azure.key) == 88
    assert f"AccountKey={azure.key};" in azure.connection_string
    assert request(azure.port, "/flightschool?comp=list")[0] == 403
    stranger = AzureBlob()
    stranger.port = azure.port
    assert stranger.send("GET", "", {"comp": "list"})[0] == 403


def test_azure_says_what_it_is(azure: AzureBlob) -> None:
    assert "Azurite" in repr(azure)


# --- what npm installs


def test_the_lock_names_no_registry_and_pins_everything() -> None:
    lock = json.loads(npm.LOCK.read_text())
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert packages
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert package["integrity"].startswith("sha512-"), name
        assert re.fullmatch(r"\d+\.\d+\.\d+\S*", package["version"]), name
    wanted = json.loads(npm.LOCK.with_name("package.json").read_text())["dependencies"]
    assert wanted == lock["packages"][""]["dependencies"]
    assert all(packages[f"node_modules/{name}"]["version"] == version for name, version in wanted.items())


def test_npm_without_a_network_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npm, "TOOLS", tmp_path / "npm")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    with pytest.raises(Unavailable) as caught:
        npm.installed("azurite")
    message = str(caught.value)
    assert "needs the network once: python -m flightschool.services.npm" in message
    assert "ECONNREFUSED" in message
    assert "\n" not in message
    assert not (tmp_path / "npm").exists()
    assert not (tmp_path / "npm.new").exists()


def test_npm_command_fails_with_the_line_alone(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from flightschool.services import npm;"
        "npm.TOOLS = pathlib.Path(sys.argv[1]) / 'file' / 'npm'; sys.exit(npm.main())"
    )
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "needs the network once" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


# --- Google


@pytest.fixture(scope="module")
def gcs(state: Path) -> GoogleStorage:
    return services.gcs()


def test_gcs_keeps_objects(gcs: GoogleStorage) -> None:
    files = gcs.filesystem()
    files.create_dir("lake")
    with files.open_output_stream("lake/day=2013-02-08/a.txt") as file:
        file.write(b"snow")
    with files.open_input_stream("lake/day=2013-02-08/a.txt") as file:
        assert file.read() == b"snow"
    status, body = request(gcs.port, "/storage/v1/b/lake/o")
    assert status == 200
    assert [one["name"] for one in json.loads(body)["items"]] == ["day=2013-02-08/a.txt"]


def test_gcs_points_googles_libraries_here(gcs: GoogleStorage) -> None:
    assert gcs.env()["STORAGE_EMULATOR_HOST"] == gcs.endpoint == f"http://127.0.0.1:{gcs.port}"
    assert "emulator" in repr(gcs)


def test_gcs_that_dies_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        GoogleStorage, "command", lambda self, port: self.python("-m", "gcp_storage_emulator", "x")
    )
    with pytest.raises(StartError, match=r"did not start: it ended with status 2.*invalid choice"):
        GoogleStorage().start()
