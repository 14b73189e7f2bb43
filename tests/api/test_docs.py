"""Every command in docs/api.md, against a running server."""

import os
import re
import shutil
import subprocess

import pytest
from django.conf import settings
from django.utils import timezone

from campaigns import launch
from canvas.models import Journey
from tests.canvas import world as canvases
from tests.factories import CampaignFactory, ProfileFactory
from webhooks.models import Message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
PAGE = (settings.BASE_DIR / "docs" / "api.md").read_text()


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed on this machine")
def test_the_commands_of_the_page_work_in_their_order(live_api):
    url, key = live_api
    campaign = CampaignFactory(delivery="api", is_reeligible=True, reeligible_seconds=0)
    canvas = canvases.build([canvases.message()], entry="api")
    ProfileFactory()
    launch.start(campaign, timezone.now())
    canvases.go_live(canvas, timezone.now())
    names = {"hookline": url, "key": key, "campaign": str(campaign.key), "canvas": str(canvas.key)}
    commands = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(commands) == 10
    for command in commands:
        script = f"set -euo pipefail\n{command}"
        done = subprocess.run(
            ["bash", "-c", script], env=os.environ | names, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    # the send, one of the two with one key, and the composed webhook; the broadcast for later was deleted
    assert (Message.objects.count(), Journey.objects.count()) == (3, 1)
