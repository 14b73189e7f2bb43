import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from campaigns import launch
from campaigns.models import Campaign
from outreach.models import Status, Variant
from tests.factories import AdminFactory, CampaignFactory, ProfileFactory, SegmentFactory, content_of
from webhooks.masking import MASK
from webhooks.models import Content
from workspace import secrets

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory())
    return client


def url(name: str, *args: object) -> str:
    return reverse(f"admin:campaigns_campaign_{name}", args=args)


def form_of(campaign: Campaign, **changes: object) -> dict[str, object]:
    arms = list(campaign.variants.all())
    data: dict[str, object] = {
        "name": campaign.name,
        "edited_version": campaign.version,
        "variants-TOTAL_FORMS": len(arms),
        "variants-INITIAL_FORMS": len(arms),
    }
    for number, arm in enumerate(arms):
        data |= {f"variants-{number}-{key}": value for key, value in [("id", arm.pk), ("outreach", campaign.pk)]}
        data |= {f"variants-{number}-name": arm.name, f"variants-{number}-share": arm.share}
    return data | changes


def test_a_new_campaign_is_a_draft_with_a_variant_to_compose(admin):
    answer = admin.post(url("add"), {"name": "Spring <b>", "delivery": "scheduled"}, follow=True)
    campaign = Campaign.objects.get()
    assert campaign.status == Status.DRAFT
    assert not campaign.sender.is_open
    assert campaign.variants.get().share == 100
    assert "Compose the webhook" in answer.text
    assert "Spring &lt;b&gt;" in answer.text
    assert "Spring <b>" not in answer.text


def test_shares_that_do_not_add_up_are_refused_on_the_share(admin):
    campaign = CampaignFactory()
    answer = admin.post(url("change", campaign.pk), form_of(campaign, **{"variants-0-share": 97}))
    assert "Shares add up to 97 %. They must add up to 100 %." in answer.text
    assert campaign.variants.get().share == 100


def test_saving_over_somebody_elses_change_is_refused(admin):
    campaign = CampaignFactory()
    stale = form_of(campaign, name="Mine")
    admin.post(url("change", campaign.pk), form_of(campaign, name="Theirs"))
    answer = admin.post(url("change", campaign.pk), stale)
    assert "saved this campaign at" in answer.text
    assert Campaign.objects.get().name == "Theirs"


def test_everyone_and_a_segment_is_a_contradiction(admin):
    campaign = CampaignFactory()
    data = {"to_everyone": "on", "segments": [SegmentFactory().pk], "edited_version": campaign.version}
    answer = admin.post(url("change", campaign.pk) + "?tab=audience", data)
    assert "Choose either all profiles or segments" in answer.text


def test_a_variant_is_copied_with_its_webhook_and_languages(admin):
    campaign = CampaignFactory(url="https://example.com/a")
    first = campaign.variants.get()
    content_of(campaign).overrides.create(language="ko", url="https://example.com/ko")
    admin.post(url("add_variant", campaign.pk), {"name": "B", "source": first.pk})
    copied = Variant.objects.get(name="B")
    assert [v.share for v in campaign.variants.all()] == [50, 50]
    assert copied.contents.get().url == "https://example.com/a"
    assert copied.contents.get().overrides.get().url == "https://example.com/ko"
    Content.objects.filter(pk=content_of(campaign).pk).update(url="https://example.com/b")
    assert copied.contents.get().url == "https://example.com/a"


def test_a_second_control_group_is_refused(admin):
    campaign = CampaignFactory()
    for _ in range(2):
        answer = admin.post(url("add_variant", campaign.pk), {"name": "C", "is_control": "on"}, follow=True)
    assert "There can be one control group." in answer.text
    assert campaign.variants.filter(is_control=True).count() == 1


def test_the_launch_page_names_the_audience_and_the_problems(admin):
    ProfileFactory.create_batch(3)
    campaign = CampaignFactory(url="")
    content_of(campaign).__class__.objects.update(url="")
    page = admin.get(url("launch", campaign.pk)).text
    assert 'data-audience="3"' in page
    assert "Enter the address to call." in page
    admin.post(url("launch", campaign.pk))
    assert Campaign.objects.get().status == Status.DRAFT


def test_send_now_launches_once_however_often_it_is_pressed(admin):
    ProfileFactory()
    campaign = CampaignFactory()
    admin.post(url("launch", campaign.pk))
    answer = admin.post(url("launch", campaign.pk), follow=True)
    assert answer.status_code == 200
    assert campaign.occurrences.count() == 1


def test_stopping_asks_first_and_says_how_many_wait(admin):
    ProfileFactory()
    campaign = CampaignFactory()
    launch.start(campaign, timezone.now())
    page = admin.get(url("action", campaign.pk, "stop"))
    assert "waiting messages are cancelled for good" in page.text
    assert Campaign.objects.get().status == Status.ACTIVE
    admin.post(url("action", campaign.pk, "stop"))
    assert Campaign.objects.get().status == Status.STOPPED


def test_launching_needs_its_own_permission(client):
    user = User.objects.create_user("nina", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_campaign", "change_campaign"]))
    client.force_login(user)
    campaign = CampaignFactory()
    assert client.get(url("change", campaign.pk)).status_code == 200
    assert client.get(url("launch", campaign.pk)).status_code == 200  # the review is for everybody
    for path in (url("launch", campaign.pk), url("action", campaign.pk, "stop")):
        assert client.post(path).status_code == 403


def test_an_empty_list_and_a_full_one_cost_the_same_queries(admin, django_assert_max_num_queries):
    assert admin.get(url("changelist")).status_code == 200
    for _ in range(12):
        CampaignFactory()
    with django_assert_max_num_queries(14):
        admin.get(url("changelist"))


# --- the composer


def composed(content: Content, **changes: object) -> dict[str, object]:
    data: dict[str, object] = {
        "url": "https://example.com/x",
        "method": "POST",
        "body_kind": "pairs",
        "pairs-0-key": "a",
        "pairs-0-value": "b",
        "pairs-0-type": "text",
        "overrides-TOTAL_FORMS": 0,
        "overrides-INITIAL_FORMS": 0,
    }
    return data | changes


def compose(admin, content: Content, **changes: object):
    return admin.post(reverse("admin:webhooks_content_change", args=[content.pk]), composed(content, **changes))


def test_composing_saves_and_makes_a_new_version(admin):
    content = content_of(CampaignFactory())
    before = content.version
    answer = compose(admin, content)
    assert answer.status_code == 302, answer.context and answer.context["errors"]
    content.refresh_from_db()
    assert content.pairs == [{"key": "a", "value": "b", "type": "text", "omit_blank": False}]
    assert content.version == before + 1


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"url": "https://example.com:8080/"}, "url", "URL uses port 8080; webhooks may use 80 and 443"),
        ({"url": "https:///nowhere"}, "url", "has no host"),
        ({"url": "https://example.com/{{ broken"}, "url", "line 1"),
        ({"headers-0-name": "X A", "headers-0-value": "1"}, "headers", "not a valid header name"),
        ({"headers-0-name": "Host", "headers-0-value": "1"}, "headers", "set by Hookline itself"),
        ({"headers-0-name": "X-A", "headers-0-value": "a\r\nX-B: 1"}, "headers", "line break"),
        (
            {"headers-0-name": "X-A", "headers-0-value": "1", "headers-1-name": "x-a", "headers-1-value": "2"},
            "headers",
            "there twice",
        ),
        ({"pairs-0-key": "", "pairs-0-value": "b"}, "pairs", "no key"),
        ({"pairs-0-value": "{% if %}"}, "pairs", "line 1"),
        ({"body_kind": "raw", "raw_body": "{{ ${first_name | default }}"}, "raw_body", "line 1"),
    ],
)
def test_a_mistake_is_shown_on_its_field_and_nothing_is_saved(admin, settings, changes, field, words):
    settings.WEBHOOK_ALLOWED_PORTS = []
    content = content_of(CampaignFactory(url="https://example.com/before"))
    answer = compose(admin, content, **changes)
    assert answer.status_code == 200
    assert words in " ".join(answer.context["adminform"].form.errors[field])
    content.refresh_from_db()
    assert content.url == "https://example.com/before"


def test_a_secret_header_is_sealed_masked_and_kept(admin):
    content = content_of(CampaignFactory())
    header = {"headers-0-name": "Authorization", "headers-0-value": "Bearer s3cr3t-token", "headers-0-is_secret": "1"}
    compose(admin, content, **header)
    content.refresh_from_db()
    sealed = content.headers[0]["value"]
    assert "s3cr3t" not in sealed
    page = admin.get(reverse("admin:webhooks_content_change", args=[content.pk])).text
    assert "s3cr3t" not in page
    assert sealed not in page
    compose(admin, content, **(header | {"headers-0-value": MASK, "url": "https://example.com/y"}))
    content.refresh_from_db()
    assert secrets.unseal(content.headers[0]["value"]) == "Bearer s3cr3t-token"


def test_a_secret_can_not_be_shown_by_unticking_it(admin):
    content = content_of(CampaignFactory())
    compose(admin, content, **{"headers-0-name": "X-Key", "headers-0-value": "s3cr3t", "headers-0-is_secret": "1"})
    answer = compose(admin, content, **{"headers-0-name": "X-Key", "headers-0-value": MASK})
    assert "Type the value of the header X-Key again" in answer.text


def test_languages_are_saved_and_make_a_new_version(admin):
    content = content_of(CampaignFactory())
    language = {
        "overrides-TOTAL_FORMS": 1,
        "overrides-0-language": "pt_BR",
        "overrides-0-url": "https://example.com/pt",
        "overrides-0-content": content.pk,
    }
    answer = compose(admin, content, **language)
    assert answer.status_code == 302
    assert content.overrides.get().language == "pt-BR"


def test_a_language_without_anything_of_its_own_is_refused(admin):
    content = content_of(CampaignFactory())
    answer = compose(admin, content, **{"overrides-TOTAL_FORMS": 1, "overrides-0-language": "fr"})
    assert "Give this language a URL or a body of its own" in answer.text


def preview(admin, content: Content, page: str = "preview", **changes: object) -> str:
    return admin.post(reverse(f"admin:webhooks_content_{page}", args=[content.pk]), composed(content, **changes)).text


def test_preview_uses_what_is_typed_and_saves_nothing(admin):
    ProfileFactory(external_id="c-1", first_name="Grace & Co")
    content = content_of(CampaignFactory())
    text = preview(admin, content, **{"pairs-0-value": "Hi {{${first_name}}}", "as_kind": "existing", "as_id": "c-1"})
    assert "Hi Grace &amp; Co" in text
    content.refresh_from_db()
    assert content.pairs[0]["key"] == "name"


def test_preview_as_a_custom_user(admin):
    custom = '{"first_name": "Zoë", "plan": "pro", "properties": {"order": 7}}'
    value = "{{${first_name}}} {{custom_attribute.${plan}}} {{event_properties.${order}}}"
    text = preview(
        admin, content_of(CampaignFactory()), **{"pairs-0-value": value, "as_kind": "custom", "as_custom": custom}
    )
    assert "Zoë pro 7" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"as_kind": "random"}, "There are no profiles yet"),
        ({"as_kind": "existing", "as_id": "nobody"}, "No profile has the external ID or email"),
        ({"as_kind": "custom", "as_custom": "{oops"}, "not valid JSON"),
        ({"as_kind": "custom", "url": "https://example.com:99/"}, "port 99"),
        ({"as_kind": "custom", "url": "{% abort_message('no device') %}"}, "no device"),
    ],
)
def test_preview_says_what_is_missing(admin, changes, words):
    assert words in preview(admin, content_of(CampaignFactory()), **changes)


def test_a_wrong_case_id_gets_a_hint(admin):
    ProfileFactory(external_id="Customer-1")
    text = preview(admin, content_of(CampaignFactory()), as_kind="existing", as_id="customer-1")
    assert "External IDs are case-sensitive." in text
