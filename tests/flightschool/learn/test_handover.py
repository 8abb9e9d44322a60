"""A drill that was planted outside arrives in the work folder, whatever Python unpacks it."""

from __future__ import annotations

import base64
import io
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flightschool.errors import FlightSchoolError
from flightschool.learn.handover import PlantedOutside

PAGE = {
    "severity": "SEV2",
    "title": "A report looks too good",
    "symptom": "It says 98 %.",
    "noticed_by": "The station manager",
    "at": "2013-02-10 08:40",
    "look": ["desk/outbox"],
    "runbook": "Find the first wrong one.",
}


def plant(folder: Path, *names: str) -> Any:
    """Unpack an archive of files with these names."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as files:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size, entry.uid = 2, 0x70000001
            files.addfile(entry, io.BytesIO(b"42"))
    told = {"page": PAGE, "files": base64.b64encode(archive.getvalue()).decode()}
    way: Any = SimpleNamespace(drill=lambda: told)
    lab: Any = SimpleNamespace(workdir=folder)
    return PlantedOutside(way).plant(lab)


def test_page_and_files_arrive(tmp_path: Path) -> None:
    page = plant(tmp_path, "desk/outbox/report.csv")
    assert page.look == ("desk/outbox",)
    assert (tmp_path / "desk/outbox/report.csv").read_text() == "42"


def test_also_on_a_python_whose_archives_know_no_filter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian 12's is 3.11.2, and filters came with 3.11.4."""
    extract = tarfile.TarFile.extractall
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    monkeypatch.setattr(tarfile.TarFile, "extractall", lambda self, path: extract(self, path))
    plant(tmp_path, "desk/report.csv")
    assert (tmp_path / "desk/report.csv").read_text() == "42"


@pytest.mark.skipif(not hasattr(tarfile, "data_filter"), reason="this Python's archives know no filter")
def test_nothing_is_written_beside_the_work_folder(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    with pytest.raises(tarfile.OutsideDestinationError):
        plant(folder, "../beside")
    assert not (tmp_path / "beside").exists()


def test_refusal_is_handed_on(tmp_path: Path) -> None:
    way: Any = SimpleNamespace(drill=lambda: {"refused": "This module has no drill."})
    lab: Any = SimpleNamespace(workdir=tmp_path)
    with pytest.raises(FlightSchoolError, match="no drill"):
        PlantedOutside(way).plant(lab)
