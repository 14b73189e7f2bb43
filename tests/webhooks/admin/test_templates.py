"""Saved templates: copied when picked, duplicated, archived; what was made from them goes its own way."""

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns import launch
from campaigns.admin.variants import fill
from campaigns.forms.compose import source_choices
from outreach import plan
from tests.factories import CampaignFactory, ContentFactory, ProfileFactory, TemplateFactory, content_of, pair
from webhooks.models import Content, Template

pytestmark = pytest.mark.django_db(transaction=True)


def test_three_templates_duplicated_are_three_copies_with_webhooks_of_their_own(admin_client):
    made = [TemplateFactory(name=name, content__url=f"https://example.com/{name}") for name in ("a", "b", "c")]
    made[0].content.overrides.create(language="ko", url="https://example.com/ko")
    chosen = {"action": "duplicate", "_selected_action": [template.pk for template in made]}
    url = reverse("admin:webhooks_template_changelist")
    assert "3 templates were duplicated." in admin_client.post(url, chosen, follow=True).text
    assert list(Template.objects.values_list("name", flat=True)) == [
        "Copy of a",
        "Copy of b",
        "Copy of c",
        "a",
        "b",
        "c",
    ]
    twin = Template.objects.get(name="Copy of a").content
    assert (twin.url, twin.overrides.get().language) == ("https://example.com/a", "ko")
    Content.objects.filter(pk=twin.pk).update(url="https://example.com/other")
    made[0].content.refresh_from_db()
    assert made[0].content.url == "https://example.com/a"


def test_duplicated_again_it_gets_a_number(admin_client):
    template = TemplateFactory(name="a")
    chosen = {"action": "duplicate", "_selected_action": [template.pk]}
    for _ in range(3):
        admin_client.post(reverse("admin:webhooks_template_changelist"), chosen)
    assert set(Template.objects.values_list("name", flat=True)) == {"a", "Copy of a", "Copy of a 2", "Copy of a 3"}


def offered() -> list[str]:
    return [key for _group, keys in source_choices([])[1:] for key, _name in keys]


def test_an_edited_or_archived_template_leaves_a_running_campaign_as_it_is(sink, pump):
    template = TemplateFactory(content=ContentFactory(url=sink.url, pairs=[pair("said", "as it was")]))
    campaign = CampaignFactory()
    assert f"template:{template.pk}" in offered()
    fill(content_of(campaign), f"template:{template.pk}")
    ProfileFactory.create_batch(2)
    launch.start(campaign, timezone.now())
    Content.objects.filter(pk=template.content_id).update(pairs=[pair("said", "changed")], version=2)
    Template.objects.update(is_archived=True)
    plan.plan_due(timezone.now())
    assert pump.run() == 2
    assert [request.json() for request in sink.received] == [{"said": "as it was"}] * 2
    assert f"template:{template.pk}" not in offered()
