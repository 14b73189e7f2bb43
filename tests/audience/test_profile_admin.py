"""A person's page: what is known, changed, handed out and erased."""

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from audience import erasure, person, search
from audience.ingest import track
from audience.models import (
    Alias,
    Attribute,
    CustomEvent,
    EventSummary,
    FormerId,
    PendingEvent,
    Profile,
    SubscriptionGroup,
    SubscriptionState,
)
from tests.conftest import NOON
from tests.factories import AdminFactory, MessageFactory, ProfileFactory, SegmentFactory, SenderFactory, TeamFactory
from webhooks.models import FrozenRequest, Message, MessageActivityLog, Receipt

pytestmark = pytest.mark.django_db
BASE = "/admin/audience/profile/"


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory())
    return client


@pytest.fixture
def ada() -> Profile:
    """Somebody with everything."""
    ada = ProfileFactory(external_id="ada", email="Ada@example.com", phone="+821012345678", last_name="<i>Lovelace")
    Alias.objects.create(profile=ada, label="crm", name="A-7")
    FormerId.objects.create(profile=ada, external_id="old-ada")
    group = SubscriptionGroup.objects.create(name="News")
    SubscriptionState.objects.create(profile=ada, group=group, state="unsubscribed")
    event = {"external_id": "ada", "name": "visited <b>", "time": "2026-05-01", "properties": {"page": "<script>"}}
    bought = {"external_id": "ada", "product_id": "hat", "currency": "USD", "price": 5, "time": "2026-05-02"}
    track(events=[event], purchases=[bought], now=NOON)
    PendingEvent.objects.create(profile=ada, kind="event", name="visited", occurred_at=NOON)
    sender = SenderFactory(name="Spring offer")
    Receipt.objects.create(sender=sender, profile=ada, cause=1, reserved_at=NOON, received_at=NOON)
    MessageActivityLog.objects.create(kind="webhook_error", sender=sender, profile=ada, text="503 Busy")
    message = MessageFactory(sender=sender, profile=ada, context={"code": "secret"})
    FrozenRequest.objects.create(message=message, sealed=b"secret")
    return ada


def page_of(profile: Profile) -> str:
    return f"{BASE}{profile.pk}/change/"


def test_the_page_shows_what_is_known_and_escapes_it(admin, ada):
    page = admin.get(page_of(ada)).text
    for text in ("visited &lt;b&gt;", "hat", "crm: A-7", "News: unsubscribed", "Spring offer", "503 Busy"):
        assert text in page
    assert "1 messages wait" in page
    assert "<i>Lovelace" not in page
    assert "<script>" not in page.split("visited &lt;b&gt;")[1].split("</ol>")[0]


def test_an_empty_profile_has_a_page_too(admin):
    assert "No events yet." in admin.get(page_of(ProfileFactory())).text


def test_the_segments_somebody_is_in_are_worked_out(admin, client, ada):
    SegmentFactory(name="Everybody")
    SegmentFactory(name="Buyers", filters={"filter": "purchase_count", "op": "more", "value": 0})
    SegmentFactory(name="Others", filters={"filter": "email", "op": "blank"})
    SegmentFactory(name="Broken", filters={"filter": "gone"})
    hidden = SegmentFactory(name="Hidden")
    hidden.teams.add(TeamFactory())
    url = reverse("admin:audience_profile_segments", args=[ada.pk])
    page = admin.get(url).text
    assert all(name in page for name in ("Everybody", "Buyers", "Hidden"))
    assert "Others" not in page
    assert "Broken" not in page
    marketer = User.objects.create_user("marketer", is_staff=True)
    marketer.user_permissions.add(Permission.objects.get(codename="view_profile"))
    client.force_login(marketer)
    assert "Hidden" not in client.get(url).text


@pytest.mark.parametrize("text", ["ada", "ADA@example.com ", "+82 10 1234 5678", "A-7", "old-ada", "braze_id", "ad"])
def test_somebody_is_found_by_whatever_names_them(admin, ada, text):
    ProfileFactory(external_id="ben", email="ben@example.com")
    text = str(ada.braze_id) if text == "braze_id" else text
    assert [*search.find(text)] == [ada]
    assert "Ada@example.com" in admin.get(BASE, {"q": text}).text


@pytest.mark.parametrize("text", ["", "nobody", "%", "\0", "a" * 5_000, "’; --"])
def test_strange_searches_find_nobody(admin, ada, text):
    assert admin.get(BASE, {"q": text}).status_code == 200
    assert not text.strip() or not search.find(text).exists()


def test_everything_is_handed_out_as_json(admin, ada):
    answer = admin.get(reverse("admin:audience_profile_json", args=[ada.pk]))
    facts = json.loads(answer.content)
    assert "attachment" in answer["Content-Disposition"]
    assert facts["email"] == "Ada@example.com"
    assert facts["user_aliases"] == [{"alias_label": "crm", "alias_name": "A-7"}]
    assert facts["custom_events"][0]["name"] == "visited <b>"
    assert facts["history"][0]["properties"]["price"] == "5 USD"
    assert facts["messages"][0]["from"] == "Spring offer"
    assert facts["message_log"][0]["message"] == "503 Busy"


def test_erasing_somebody_leaves_nothing_of_them_and_everything_of_others(admin, ada):
    ben = ProfileFactory(external_id="ben")
    other = MessageFactory(profile=ben, context={"code": "other"})
    Receipt.objects.create(sender=SenderFactory(), profile=ben, cause=1, reserved_at=NOON, received_at=NOON)
    track(events=[{"external_id": "ben", "name": "visited", "time": "2026-05-01"}], now=NOON)
    confirmation = admin.post(f"{BASE}{ada.pk}/delete/").text
    assert "Custom events: 1" in " ".join(confirmation.split())
    assert "Message Activity Log" in confirmation
    assert Profile.objects.count() == 2
    admin.post(f"{BASE}{ada.pk}/delete/", {"post": "yes"})
    assert [*Profile.objects.all()] == [ben]
    kept = (CustomEvent, EventSummary, Receipt)
    assert [model.objects.values_list("profile", flat=True).distinct().get() for model in kept] == [ben.pk] * 3
    gone = (Alias, FormerId, SubscriptionState, PendingEvent, MessageActivityLog, FrozenRequest)
    assert not any(model.objects.exists() for model in gone)
    blanked = Message.objects.exclude(pk=other.pk).get()
    assert blanked.context is None
    other.refresh_from_db()
    assert other.context == {"code": "other"}
    assert "ada" not in str([*LogEntry.objects.values_list("object_repr", "change_message")])


def test_many_are_erased_in_few_statements(ada, django_assert_max_num_queries):
    people = ProfileFactory.create_batch(30)
    with django_assert_max_num_queries(40):
        assert erasure.erase([person.pk for person in people] + [10**9]) == 30
    assert Profile.objects.get() == ada


def form_of(profile: Profile, **changes: object) -> dict[str, object]:
    data = {"email_subscribe": "subscribed", "push_subscribe": "subscribed", "custom_attributes": "{}"}
    data |= {"external_id": profile.external_id or "", "email": profile.email, "first_name": profile.first_name}
    return data | changes


def test_a_change_on_the_page_goes_the_way_of_the_api_and_wakes_who_waits(admin, reacting):
    ben = ProfileFactory(external_id="ben", custom_attributes={"plan": "free", "old": 1})
    changes = {"first_name": "Ben", "phone": "010-1234-5678", "country": "kr", "custom_attributes": '{"plan": "pro"}'}
    admin.post(page_of(ben), form_of(ben, **changes))
    ben.refresh_from_db()
    assert (ben.first_name, ben.phone, ben.country) == ("Ben", "+821012345678", "KR")
    assert ben.custom_attributes == {"plan": "pro"}
    assert PendingEvent.objects.get().payload["plan"] == ["free", "pro"]
    assert Attribute.objects.filter(name="plan", type="text").exists()


def test_a_new_profile_is_made_on_the_page(admin):
    new = {"external_id": "new", "email": "new@example.com", "date_of_birth": "1990-02-03"}
    admin.post(f"{BASE}add/", form_of(Profile(), **new, custom_attributes='{"n": 1}'))
    profile = Profile.objects.get()
    assert (profile.external_id, profile.email, profile.custom_attributes) == ("new", "new@example.com", {"n": 1})
    assert profile.date_of_birth.isoformat() == "1990-02-03"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"external_id": ""}, "An external ID can&#x27;t be removed."),
        ({"email": "nonsense"}, "Enter a valid email address."),
        ({"custom_attributes": "[1]"}, "Custom attributes are a JSON object"),
        ({"custom_attributes": '{"email": "x"}'}, "“email” is a standard attribute."),
        ({"time_zone": "Mars/Base"}, "is not a time zone"),
    ],
)
def test_what_cannot_be_stored_is_refused_on_its_field(admin, changes, sentence):
    ben = ProfileFactory(external_id="ben")
    assert sentence in admin.post(page_of(ben), form_of(ben, **changes)).text


def test_pages_about_people_need_the_permission(client, ada):
    client.force_login(User.objects.create_user("other", is_staff=True))
    for name in ("json", "segments", "change"):
        assert client.get(reverse(f"admin:audience_profile_{name}", args=[ada.pk])).status_code == 403


def test_higher_apps_add_sections(ada, monkeypatch):
    monkeypatch.setattr(person, "_sources", dict(person._sources))
    rows = [(person.Cell("Welcome", "/canvas/1"),)]
    person.add_section("canvases", lambda profile: person.Section("In these Canvases", ("Canvas",), rows))
    assert person.sections(ada)[-1].title == "In these Canvases"
    assert person.facts(ada)["canvases"] == [{"Canvas": "Welcome"}]
