"""Clients written for the original, as they are in the registries, against a running server."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from campaigns import launch
from canvas.models import Journey
from tests.canvas import world as canvases
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory
from webhooks.models import Message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
HERE = Path(__file__).parent / "clients"
FOLDER = settings.BASE_DIR / "build" / "clients"
# two clients share the name of their module, so each has a folder of its own
PACKAGES = {
    "edx": ("edx-braze-client==1.1.4",),
    "braze_client": ("braze-client==2.3.3", "tenacity==8.5.0"),
}
NODE_PACKAGE = "braze-api@2.13.4"


def installed(name: str, command: Sequence[str]) -> Path:
    """The folder that a client is installed in, once. In CI it has to be possible."""
    target = FOLDER / name
    if not (target / "done").exists():
        target.mkdir(parents=True, exist_ok=True)
        result = subprocess.run([*command], cwd=target, capture_output=True, text=True, timeout=150)
        if result.returncode and not os.environ.get("CI"):
            pytest.skip(f"{command[-1]} can't be installed here: {result.stderr[-300:]}")
        assert result.returncode == 0, result.stderr[-2000:]
        (target / "done").touch()
    return target


@pytest.fixture
def world(live_api) -> dict[str, str]:
    """The environment of a client: an address, a key, and what there is to send."""
    url, key = live_api
    campaign = CampaignFactory(delivery="api", is_reeligible=True, reeligible_seconds=0)
    canvas = canvases.build([canvases.message()], entry="api")
    ProfileFactory(external_id="somebody")
    segment = SegmentFactory()
    launch.start(campaign, timezone.now())
    canvases.go_live(canvas, timezone.now())
    ids = {"CAMPAIGN": campaign.key, "CANVAS": canvas.key, "SEGMENT": segment.key}
    return {"API_URL": url, "API_KEY": key, **{name: str(value) for name, value in ids.items()}}


def run(command: Sequence[str], environment: dict[str, str], seconds: float = 120) -> None:
    result = subprocess.run([*command], env=os.environ | environment, capture_output=True, text=True, timeout=seconds)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_python_client_works_unchanged(world, name):
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", ".", *PACKAGES[name]]
    folder = installed(name, pip)
    run([sys.executable, str(HERE / f"{name}.py")], world | {"PYTHONPATH": str(folder)})
    assert name != "edx" or (Message.objects.count(), Journey.objects.count()) == (2, 1)


def test_the_node_client_works_unchanged(world):
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("Node.js and npm are not installed on this machine")
    folder = installed("braze_api", ["npm", "install", "--silent", "--no-audit", "--no-fund", NODE_PACKAGE])
    run(["node", str(HERE / "braze_api.cjs")], world | {"NODE_PATH": str(folder / "node_modules")})
    assert (Message.objects.count(), Journey.objects.count()) == (2, 1)


def test_nothing_that_the_openapi_document_allows_or_forbids_makes_a_fault_of_ours(world, settings):
    """Schemathesis makes requests up from the document. It lives in a folder of its own: as a plugin of pytest it would
    load in every run.
    """
    settings.API_RATE_LIMITS_ON = False
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", ".", "schemathesis==4.32.5"]
    folder = installed("schemathesis", pip)
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{world['API_URL']}/api/openapi.json"]
    command += ["--checks", "not_a_server_error,content_type_conformance", "--phases", "fuzzing"]
    command += ["--max-examples", "3", "--seed", "1", "--continue-on-failure", "--suppress-health-check", "all"]
    command += ["--header", f"Authorization: Bearer {world['API_KEY']}", "--no-color"]
    run(command, world | {"PYTHONPATH": str(folder)}, seconds=150)
