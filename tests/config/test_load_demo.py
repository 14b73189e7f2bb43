"""What a trial starts with works: segments that can be used, and a campaign that can be launched."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from audience import segments
from audience.models import Profile, Segment
from campaigns import launch
from campaigns.models import Campaign

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_demo_data_can_be_used(settings, sink):
    call_command("load_demo", "--receiver", sink.url, stdout=StringIO())
    now = timezone.now()
    for segment in Segment.objects.all():
        assert segments.problems([segment], {}, now) == []
        assert 0 < segments.members([segment], {}, now).count() < Profile.objects.count()
    assert launch.problems(Campaign.objects.get(), now) == []


def test_loading_it_twice_changes_nothing(settings, sink):
    for _ in range(2):
        call_command("load_demo", "--receiver", sink.url, stdout=StringIO())
    assert (Campaign.objects.count(), Segment.objects.count()) == (1, 2)
