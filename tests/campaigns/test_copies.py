"""Duplicating, archiving, and the history of changes."""

import pytest
from django.contrib.auth.models import User

from campaigns import copies, history
from outreach import approvals, lifecycle
from outreach.models import Status
from tests.campaigns.world import DAY, HOUR, event
from tests.conftest import NOON
from tests.factories import CampaignFactory, ProfileFactory, TagFactory, TeamFactory
from workspace.models import Workspace

pytestmark = pytest.mark.django_db


def test_a_copy_has_everything_but_the_past(world):
    campaign = CampaignFactory(
        delivery="action",
        triggers=[event("ordered")],
        start_at=NOON - DAY,
        end_at=NOON + DAY,
        is_reeligible=True,
        reeligible_seconds=60,
    )
    campaign.tags.add(TagFactory())
    campaign.teams.add(TeamFactory())
    campaign.conversion_events.create(trigger=event("paid"), window_seconds=3600)
    twin = copies.duplicate(campaign, world.now)
    assert twin.name == f"Copy of {campaign.name}"
    assert (twin.status, twin.start_at, twin.end_at) == (Status.DRAFT, None, NOON + DAY)
    assert (twin.triggers, twin.reeligible_seconds) == (campaign.triggers, 60)
    assert twin.key != campaign.key
    assert twin.sender_id != campaign.sender_id
    assert twin.tags.get() == campaign.tags.get()
    assert twin.conversion_events.get().window_seconds == 3600
    content, original = twin.variants.get().contents.get(), campaign.variants.get().contents.get()
    assert content.pk != original.pk
    assert content.url == original.url


def test_a_copy_knows_nothing_of_the_recipients_unless_told(world):
    ada = ProfileFactory()
    campaign = world.launch(CampaignFactory())
    world.run()
    plain = copies.duplicate(campaign, world.now)
    without = copies.duplicate(campaign, world.now, without_recipients=True)
    bob = ProfileFactory()
    world.launch(plain)
    world.launch(without)
    world.run()
    assert len(world.received_by(ada, plain)) == 1
    assert (len(world.received_by(ada, without)), len(world.received_by(bob, without))) == (0, 1)


def test_unarchiving_gives_back_a_stopped_campaign_or_a_draft(world):
    ProfileFactory()
    launched, draft = world.launch(CampaignFactory()), CampaignFactory()
    for campaign, status in ((launched, Status.STOPPED), (draft, Status.DRAFT)):
        lifecycle.archive(campaign, world.now)
        lifecycle.unarchive(campaign, world.now)
        assert campaign.status == status
    world.run()
    assert world.arrived == []


def test_every_change_says_who_what_before_and_after(world):
    mina = User.objects.create(username="mina")
    campaign = CampaignFactory(name="Spring")
    history.note(campaign, mina)
    campaign.name = "Summer"
    campaign.save()
    campaign.variants.update(share=90)
    campaign.variants.create(name="B", share=10)
    history.note(campaign, mina, "shares")
    world.go(NOON + HOUR)
    content = campaign.variants.first().contents.get()
    content.url, content.headers = "https://example.com/new", [{"name": "X", "value": "secret", "is_secret": True}]
    content.save()
    shown = history.entries(campaign)
    found = {(c.field, c.before, c.after) for entry in shown for c in entry.changes}
    assert ("name", "Spring", "Summer") in found
    assert any(field.endswith("share") and (before, after) == ("100", "90") for field, before, after in found)
    assert any("https://example.com/new" in after for _field, _before, after in found)
    assert {"mina", "the system"} >= {entry.who for entry in shown}
    assert "secret" not in str(shown)


def test_any_change_takes_approvals_back(world):
    Workspace.objects.update_or_create(pk=1, defaults={"approves_campaigns": True})
    ada, mina = ProfileFactory(), User.objects.create(username="mina")
    campaign = CampaignFactory()
    assert ada
    for section in approvals.Section.values:
        approvals.decide(campaign, section, "approved", mina, "")
    assert approvals.missing(campaign) == []
    content = campaign.variants.get().contents.get()
    content.url = "https://example.com/changed"
    content.save()
    assert len(approvals.missing(campaign)) == 4


def test_a_denial_needs_a_comment_and_four_eyes_forbid_ones_own_change(world):
    Workspace.objects.update_or_create(pk=1, defaults={"approves_campaigns": True, "has_four_eyes": True})
    mina = User.objects.create(username="mina")
    campaign = CampaignFactory()
    with pytest.raises(approvals.NotApprovable, match="why"):
        approvals.decide(campaign, "messages", "denied", mina, " ")
    with pytest.raises(approvals.NotApprovable, match="somebody else"):
        approvals.decide(campaign, "messages", "approved", mina, "", last_editor=mina)
