"""The pages of files: export, a look before, the import; who may, and what hostile files do to them."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile

from audience.models import Segment
from campaigns.models import Campaign
from campaigns.portable import KIND
from canvas import presets
from canvas.models import Canvas
from tests.factories import AdminFactory, CampaignFactory, SegmentFactory, TeamFactory
from webhooks.models import Sender
from workspace import files

pytestmark = pytest.mark.django_db
BASES = {
    "campaign": "/admin/campaigns/campaign/",
    "canvas": "/admin/canvas/canvas/",
    "segment": "/admin/audience/segment/",
}
EVIL = "\"><script>alert('x')</script>"


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory())
    return client


def row_of(kind: str):
    makers = {
        "campaign": lambda: CampaignFactory(name="The one"),
        "canvas": lambda: presets.make("win-back", "The one"),
        "segment": lambda: SegmentFactory(name="The one"),
    }
    return makers[kind]()


def upload(client, base: str, data: bytes, **more):
    return client.post(f"{base}import/", {"file": SimpleUploadedFile("x.json", data), **more})


def confirm(client, base: str, shown) -> object:
    return client.post(f"{base}import/", {"text": shown.context["text"], "confirmed": "1"}, follow=True)


@pytest.mark.parametrize("kind", BASES)
def test_each_is_exported_looked_at_and_made(admin, kind):
    row, base = row_of(kind), BASES[kind]
    answer = admin.get(f"{base}{row.pk}/file/")
    assert answer["Content-Disposition"] == f'attachment; filename="{kind}-the-one.json"'
    model = type(row)
    if kind == "segment":
        row.delete()
    before = model.objects.count()
    shown = upload(admin, base, answer.content)
    assert "The one" in shown.text
    assert model.objects.count() == before
    done = confirm(admin, base, shown)
    assert "1 was made from the file." in done.text
    made = model.objects.latest("pk")
    assert done.redirect_chain[0][0] == f"{base}{made.pk}/change/"
    assert files.write([files.kinds[kind].document(made)]) == answer.content


@pytest.mark.parametrize("kind", BASES)
def test_pages_and_lists_lead_there(admin, kind):
    row, base = row_of(kind), BASES[kind]
    page = f"{base}{row.pk}/versions/" if kind == "canvas" else f"{base}{row.pk}/change/"
    assert f"{base}{row.pk}/file/" in admin.get(page).text
    assert f"{base}import/" in admin.get(base).text


def test_several_at_once_are_a_list_that_comes_back(admin):
    rows = CampaignFactory.create_batch(3)
    data = {"action": "as_file", "_selected_action": [row.pk for row in rows]}
    answer = admin.post(BASES["campaign"], data)
    assert [each["name"] for each in json.loads(answer.content)] == [row.name for row in rows]
    done = confirm(admin, BASES["campaign"], upload(admin, BASES["campaign"], answer.content))
    assert "3 were made from the file." in done.text
    assert Campaign.objects.count() == 6


def test_what_is_not_here_is_shown_before_and_after(admin):
    campaign = CampaignFactory(to_everyone=False)
    campaign.segments.add(SegmentFactory(name="VIP"))
    data = files.write([KIND.document(campaign)])
    Segment.objects.all().delete()
    shown = upload(admin, BASES["campaign"], data)
    assert "segment “VIP”: not here" in shown.text
    assert "segment “VIP”: not here" in confirm(admin, BASES["campaign"], shown).text


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"{", "This is no JSON"),
        (b"", "This is no JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (json.dumps({"hookline": 1, "kind": "campaign", "name": "x", EVIL: 1}).encode(), "There is no such field"),
        (json.dumps({"hookline": 1, "kind": "canvas", "name": "x"}).encode(), "It must be one of these: campaign."),
        (b'{"hookline": 1, "kind": "campaign", "name": "x", "rate_per_minute": 1e300}', "A number is too large"),
        (b" " * 2_000_001, "larger than"),
    ],
)
def test_what_can_not_be_read_is_said_and_nothing_is_made(admin, data, problem):
    answer = upload(admin, BASES["campaign"], data)
    assert problem in answer.text
    assert "<script>alert" not in answer.text
    assert not Campaign.objects.exists()
    assert not Sender.objects.exists()


def test_without_a_file_it_asks_for_one(admin):
    assert "Choose a file." in admin.post(f"{BASES['campaign']}import/").text


def test_names_are_escaped_wherever_they_are_shown(admin):
    campaign = CampaignFactory(name=EVIL, description=EVIL, to_everyone=False)
    campaign.segments.add(SegmentFactory(name=EVIL))
    data = files.write([KIND.document(campaign)])
    Segment.objects.all().delete()
    shown = upload(admin, BASES["campaign"], data)
    done = confirm(admin, BASES["campaign"], shown)
    for page in (shown, done):
        assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in shown.text
    assert Campaign.objects.filter(name=EVIL).count() == 2


def test_a_confirmed_text_that_was_tampered_with_is_checked_again(admin):
    answer = admin.post(f"{BASES['campaign']}import/", {"text": '{"hookline": 1}', "confirmed": "1"})
    assert "This file can't be imported. Nothing was made." in answer.text
    assert not Campaign.objects.exists()


def marketer(*permissions: str) -> User:
    user = User.objects.create_user("marketer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.mark.parametrize("kind", BASES)
def test_importing_needs_the_right_to_add_and_exporting_that_to_view(client, kind):
    row = row_of(kind)
    client.force_login(user := marketer(f"view_{kind}"))
    assert client.get(f"{BASES[kind]}import/").status_code == 403
    assert f"{BASES[kind]}import/" not in client.get(BASES[kind]).text
    assert client.get(f"{BASES[kind]}{row.pk}/file/").status_code == 200
    user.user_permissions.clear()
    client.force_login(User.objects.get(pk=user.pk))
    assert client.get(f"{BASES[kind]}{row.pk}/file/").status_code == 403


def test_what_belongs_to_other_teams_is_neither_exported_nor_found(client):
    own, foreign = TeamFactory(name="Own"), TeamFactory(name="Foreign")
    campaign, segment = CampaignFactory(to_everyone=False), SegmentFactory(name="Theirs")
    segment.teams.add(foreign)
    campaign.segments.add(segment)
    campaign.teams.add(foreign)
    data = files.write([KIND.document(campaign)])
    user = marketer("view_campaign", "add_campaign")
    own.memberships.create(user=user)
    client.force_login(user)
    assert client.get(f"{BASES['campaign']}{campaign.pk}/file/").status_code == 404
    confirm(client, BASES["campaign"], upload(client, BASES["campaign"], data))
    made = Campaign.objects.latest("pk")
    assert ([*made.segments.all()], [*made.teams.all()]) == ([], [own])
    assert made.created_by == user


def test_the_pages_of_an_imported_canvas_open(admin):
    canvas = presets.make("abandoned-cart", "Cart")
    [made] = files.make(files.read(files.write([files.kinds["canvas"].document(canvas)])))
    base = f"{BASES['canvas']}{made.row.pk}/"
    for page in ("flow/", "change/", "variants/", "exits/", "conversions/", "try/", "versions/", "launch/"):
        assert admin.get(base + page).status_code == 200, page
    for step in made.row.steps.all():
        assert admin.get(f"{base}steps/{step.pk}/").status_code == 200
    assert Canvas.objects.count() == 2
