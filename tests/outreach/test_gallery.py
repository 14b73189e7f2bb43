"""Each template of the gallery renders to something its receiver can read."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from audience.models import Profile
from outreach import gallery, gallery_page, launch
from tests.factories import AdminFactory, CampaignFactory, ProfileFactory, content_of
from webhooks import preview
from webhooks.masking import shown_request
from webhooks.models import Content, Template
from webhooks.request import Request
from workspace.models import Credential
from workspace.secrets import seal

pytestmark = pytest.mark.django_db
PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]{2,}>")
POSTED = ("slack", "discord", "teams", "zapier")  # their addresses are secrets
HOSTILE = 'Zoë "x" & y=1\\\n😱'


@pytest.fixture
def sample() -> Profile:
    for name in [*"line messenger whatsapp kakao twilio lob salesforce marketo own_api".split(), *POSTED]:
        Credential.objects.create(name=name, sealed_value=seal("id:token"))
    needed = {name for entry in gallery.ENTRIES for name in entry.needs}
    return ProfileFactory(
        external_id="customer-7",
        first_name=HOSTILE,
        last_name="O'Neil",
        email="ada@example.com",
        phone="+821012345678",
        country="US",
        custom_attributes={name: f"value of {name}" for name in needed},
    )


def filled(entry: gallery.Entry) -> Content:
    """The template as a user fills it in."""
    content = entry.fill()
    text = {"url": content.url, "raw_body": content.raw_body}
    for name, value in text.items():
        setattr(content, name, PLACEHOLDER.sub("value", value))
    for row in content.pairs:
        row["value"] = PLACEHOLDER.sub("value", row["value"])
    content.save()
    return content


def render(content: Content, profile: Profile) -> Request:
    found = preview.compose(content, [], preview.find_person(profile.external_id), timezone.now(), None).result
    assert isinstance(found, Request), found
    return found


@pytest.mark.parametrize("entry", gallery.ENTRIES, ids=lambda entry: entry.key)
def test_it_renders_to_a_valid_request(entry, sample):
    request = render(filled(entry), sample)
    headers = {name.lower(): value for name, value in request.headers}
    assert request.method == entry.method
    assert urlsplit(request.url).scheme == "https"
    if entry.method == "GET":
        assert request.body is None
        return
    body = request.body.decode()
    if headers["content-type"].startswith(gallery.FORM):
        fields = parse_qs(body, strict_parsing=True)
        assert all(len(values) == 1 for values in fields.values())
    else:
        assert isinstance(json.loads(body), dict)


def body_of(key: str, sample: Profile) -> object:
    request = render(filled(gallery.BY_KEY[key]), sample)
    text = request.body.decode()
    is_form = any(value.startswith(gallery.FORM) for _name, value in request.headers)
    return {name: value[0] for name, value in parse_qs(text).items()} if is_form else json.loads(text)


def test_values_arrive_whole_whatever_they_hold(sample):
    assert body_of("line", sample)["messages"] == [{"type": "text", "text": HOSTILE}]
    assert body_of("messenger", sample)["recipient"] == {"id": "value of messenger_id"}
    assert body_of("marketo", sample)["input"][0]["lastName"] == "O'Neil"
    assert body_of("twilio", sample) == {"To": "+821012345678", "From": "+value", "Body": HOSTILE}
    assert body_of("lob", sample)["to[name]"] == f"{HOSTILE} O'Neil"
    assert json.loads(body_of("kakao", sample)["receiver_uuids"]) == ["value of kakao_uuid"]
    assert body_of("whatsapp", sample)["to"] == "821012345678"
    assert body_of("own_event", sample)["events"][0]["external_id"] == "customer-7"
    assert body_of("discord", sample)["allowed_mentions"] == {"parse": []}


def test_remerge_gets_its_data_in_the_address(sample):
    query = parse_qs(urlsplit(render(filled(gallery.BY_KEY["remerge"]), sample).url).query)
    assert json.loads(query["data"][0]) == {"name": "value", "active": True}
    assert query["aaid"] == ["value of aaid"]


def test_what_is_not_filled_in_blocks_the_launch():
    ProfileFactory()
    campaign = CampaignFactory()
    gallery.BY_KEY["teams"].fill(content_of(campaign))
    problems = launch.problems(campaign, timezone.now())
    assert any("<WORKFLOW_HOST> is still a placeholder" in text for text in problems)
    assert any("teams" in text for text in problems)  # nor is there a credential of that name


@pytest.mark.parametrize("key", POSTED)
def test_an_address_that_is_a_secret_is_a_credential_and_masked(key, sample):
    Credential.objects.filter(name=key).update(sealed_value=seal("T0PSECRET/B0PSECRET"))
    content = filled(gallery.BY_KEY[key])
    composed = preview.compose(content, [], preview.find_person(sample.external_id), timezone.now(), None)
    assert "T0PSECRET" not in content.url
    assert "T0PSECRET/B0PSECRET" in composed.result.url
    assert "0PSECRET" not in str(shown_request(composed.result, composed.secrets))


def test_keys_are_unique_and_every_entry_says_what_to_prepare():
    assert len(gallery.BY_KEY) == len(gallery.ENTRIES) == 15
    assert all(str(entry.note) and (entry.docs or entry.group == gallery.OWN) for entry in gallery.ENTRIES)


def test_every_entry_of_the_gallery_has_a_picture():
    assert set(gallery_page.PICTURES) == set(gallery.BY_KEY)


def test_the_gallery_shows_what_each_does_and_makes_a_template_of_it(client):
    client.force_login(AdminFactory())
    page = client.get("/admin/gallery/").text
    assert "A printed postcard in the letter box" in page
    assert page.count("hl-gallery-card") == len(gallery.ENTRIES)
    answer = client.post("/admin/gallery/", {"key": "slack"})
    template = Template.objects.get()
    assert template.content.url.startswith("https://hooks.slack.com/")
    assert answer["Location"] == f"/admin/webhooks/content/{template.content_id}/change/"


def test_the_gallery_makes_nothing_for_those_who_may_not(client):
    client.force_login(AdminFactory(is_superuser=False))
    assert client.get("/admin/gallery/").status_code == 403
    assert client.post("/admin/gallery/", {"key": "slack"}).status_code == 403
