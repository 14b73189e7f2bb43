"""The units and the Compose file run what `config/processes.py` names, as it runs it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from config.processes import Program, programs

ROOT = django_settings.BASE_DIR
UNITS = ROOT / "deploy/systemd"


@pytest.fixture
def kinds(settings) -> list[Program]:
    """All process kinds where the Redis-compatible server is somebody else's."""
    settings.USES_BUNDLED_VALKEY = False
    settings.DATA_DIR = Path("/var/lib/hookline")
    settings.BASE_DIR = Path("/opt/hookline")
    found = list(programs())
    assert {program.name for program in found} == {"deliver", "events", "worker", "timetable", "web"}
    return found


def unit_of(program: Program) -> str:
    (path,) = [
        path for name in (program.name, f"{program.name}@") if (path := UNITS / f"hookline-{name}.service").exists()
    ]
    return path.read_text()


def test_each_kind_has_a_unit_with_its_command_and_time_to_stop(kinds):
    for program in kinds:
        unit = unit_of(program)
        command = ["/opt/hookline/.venv/bin/python", *program.command[1:]]
        assert f"ExecStart={' '.join(command)}\n" in unit, program.name
        assert int(re.search(r"TimeoutStopSec=(\d+)", unit)[1]) >= program.stop_wait
        assert "PartOf=hookline.target" in unit


def test_each_kind_is_a_service_of_compose_with_its_command(kinds):
    text = (ROOT / "deploy/docker/compose.yaml").read_text()
    for program in kinds:
        service = re.search(rf"\n  {program.name}:\n((?:    .*\n)+)", text)
        assert service is not None, program.name
        words = re.findall(r'"([^"]+)"', re.search(r"command: \[(.*)\]", service[1])[1])
        expected = [word.replace("127.0.0.1:8000", "0.0.0.0:8000") for word in program.command[1:]]
        expected = [word.replace("/opt/hookline/manage.py", "manage.py") for word in expected]
        assert words == ["python", *expected], program.name


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd on this machine")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path):
    for path in UNITS.iterdir():
        text = path.read_text().replace("/opt/hookline/.venv/bin/python", sys.executable)
        (tmp_path / path.name.replace("@.", "@1.")).write_text(text)
    names = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run(["systemd-analyze", "verify", *names], capture_output=True, text=True, check=False)
    about_ours = [line for line in done.stderr.splitlines() if "hookline" in line]
    assert about_ours == []
