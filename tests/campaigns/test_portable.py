"""Campaigns as files: the same bytes again, names instead of ids, no secrets, and drafts where they arrive."""

import json
from datetime import date, time, timedelta

import pytest

from audience.models import EventName, Import, SubscriptionGroup, SuppressionList
from campaigns import copies, launch
from campaigns.models import Campaign
from campaigns.portable import KIND
from outreach import variants
from outreach.models import Status
from tests.campaigns.world import equals, event
from tests.conftest import NOON
from tests.factories import AdminFactory, CampaignFactory, SegmentFactory, TagFactory, TeamFactory, content_of, pair
from webhooks import signing
from webhooks.models import Content
from workspace import files, secrets
from workspace.models import Credential

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
PLANS = {"filter": "custom_attribute", "name": "plan", "type": "text", "op": "any_of", "values": ["pro"]}


def exported(campaign: Campaign) -> bytes:
    return files.write([KIND.document(campaign)])


def imported(data: bytes, user=None) -> files.Made:
    made = files.make(files.read(data), user)
    assert len(made) == 1
    return made[0]


def edited(data: bytes, **changes) -> bytes:
    return json.dumps({**json.loads(data), **changes}).encode()


def scheduled() -> Campaign:
    segment = SegmentFactory(name="VIP")
    campaign = CampaignFactory(name="Once", to_everyone=False, start_at=NOON + DAY, end_at=NOON + 2 * DAY)
    campaign.segments.add(segment, SegmentFactory(name="Korea"))
    campaign.filters = {"all": [{"not": {"filter": "segment", "op": "in", "segments": [segment.pk]}}, PLANS]}
    campaign.sender.rate_per_minute = 600
    campaign.sender.save()
    campaign.save()
    return campaign


def recurring() -> Campaign:
    campaign = CampaignFactory(
        name="Monthly",
        start_at=NOON,
        zone="Asia/Seoul",
        recurrence="monthly",
        every=2,
        month_days=[1, -1],
        end_on=date(2030, 12, 31),
        run_count=5,
        is_local=True,
        quiet_mode="own",
        quiet_start=time(22),
        quiet_end=time(7, 30),
        quiet_waits=True,
        optimisation="winner",
        held_share=20,
        winner_at=NOON + DAY,
        most_recipients=500,
        recipients_per="run",
    )
    variants.add(campaign, "Second", campaign.variants.get())
    variants.add(campaign, "Control", is_control=True)
    campaign.conversion_events.create(trigger={"kind": "purchase"}, window_seconds=3_600)
    return campaign


def action_based() -> Campaign:
    other = CampaignFactory(name="The other one")
    group = SubscriptionGroup.objects.create(name="News")
    campaign = CampaignFactory(
        name="Action",
        delivery="action",
        triggers=[event("ordered", equals("size", "XL")), {"kind": "received", "name": str(other.pk)}],
        exceptions=[event("paid", {"name": "order", "op": "same_as", "source": "trigger", "other": "order"})],
        delay={"mode": "days", "count": 2, "at": "09:30", "zone": "local"},
        portion_start=time(9),
        portion_end=time(18),
        is_reeligible=True,
        reeligible_seconds=86_400,
        re_evaluates=False,
        subscribed="group",
        subscription_group=group,
    )
    campaign.conversion_events.create(trigger=event("paid"), window_seconds=7_200)
    return campaign


def api_triggered() -> Campaign:
    campaign = CampaignFactory(name="Called", delivery="api", description="<b>bold</b>\nand 한국어")
    campaign.tags.add(TagFactory(name="season/spring"), TagFactory(name="a"))
    campaign.teams.add(TeamFactory(name="Retention"))
    content = content_of(campaign)
    content.headers = [{"name": "X-Kind", "value": "{{${user_id}}}", "is_secret": False}]
    content.translations = {"de": {"hello": "Hallo"}}
    content.success_test, content.success_path = "exists", "status"
    content.client_certificate = Credential.objects.create(name="bank", kind="cert", sealed_value=secrets.seal("PEM"))
    content.save()
    content.overrides.create(language="ko", url="", raw_body="", pairs=[pair("name", "고객")])
    variants.add_webhook(campaign.variants.get(), Content.objects.create(url="https://example.com/2", body_kind="raw"))
    return campaign


KINDS = [scheduled, recurring, action_based, api_triggered]


@pytest.mark.parametrize("build", KINDS)
def test_a_file_read_and_written_again_is_the_same(build):
    campaign = build()
    first = exported(campaign)
    Campaign.objects.filter(pk=campaign.pk).update(name="renamed meanwhile")
    assert exported(imported(first).row) == first
    assert exported(imported(first).row) == first


@pytest.mark.parametrize("build", KINDS)
def test_what_arrives_is_a_draft_of_its_own_that_lacks_nothing_here(build):
    for name in ("ordered", "paid"):
        EventName.objects.create(kind="event", name=name)
    campaign = build()
    Campaign.objects.filter(pk=campaign.pk).update(status=Status.ACTIVE, launched_at=NOON)
    made = imported(exported(campaign), author := AdminFactory())
    assert (made.row.status, made.row.launched_at, made.row.created_by) == (Status.DRAFT, None, author)
    assert (made.row.key != campaign.key, made.row.sender_id != campaign.sender_id) == (True, True)
    assert made.lacking == []
    assert {*made.row.variants.values_list("name", flat=True)} == {*campaign.variants.values_list("name", flat=True)}


def test_references_are_names_and_find_their_rows_again():
    campaign = scheduled()
    text = exported(campaign).decode()
    given = json.loads(text)
    assert given["segments"] == ["Korea", "VIP"]
    assert given["settings"]["filters"]["all"][0]["not"]["segments"] == ["VIP"]
    assert (given["rate_per_minute"], given["settings"]["start_at"]) == (600, "2026-05-07T12:00:00Z")
    assert str(campaign.key) not in text
    made = imported(text.encode()).row
    assert made.filters == campaign.filters
    assert {*made.segments.all()} == {*campaign.segments.all()}
    assert made.sender.rate_per_minute == 600


def test_every_filter_on_rows_travels_by_name():
    rows = {
        ("imported", "in"): Import.objects.create(name="May.csv"),
        ("suppression_list", "not_in"): SuppressionList.objects.create(name="Complaints"),
        ("subscription_group", "subscribed"): SubscriptionGroup.objects.create(name="News"),
        ("received_outreach", "not_received"): CampaignFactory(name="Before"),
        ("converted", "in"): CampaignFactory(name="Before that"),
        ("received_tag", "received"): TagFactory(name="spring"),
    }
    leaves = [{"filter": name, "op": op, "ids": [row.pk]} for (name, op), row in rows.items()]
    campaign = CampaignFactory(to_everyone=False, filters={"any": leaves})
    data = exported(campaign)
    names = [leaf["ids"] for leaf in json.loads(data)["settings"]["filters"]["any"]]
    assert names == [[row.name] for row in rows.values()]
    assert imported(data).row.filters == campaign.filters


def test_what_is_not_here_is_listed_and_stays_unset_and_no_audience_grows():
    campaign = scheduled()
    campaign.tags.add(TagFactory(name="spring"))
    campaign.teams.add(TeamFactory(name="Retention"))
    data = exported(campaign)
    for rows in (campaign.segments, campaign.tags, campaign.teams):
        rows.first().delete()  # Korea is gone, VIP is here
    made = imported(data)
    assert {text.split(":")[0] for text in made.lacking} == {"segment “Korea”", "tag “spring”", "team “Retention”"}
    assert (made.row.segments.count(), made.row.tags.count(), made.row.teams.count()) == (0, 0, 0)
    assert made.row.filters["all"][0] == {"filter": "segment", "op": "in", "segments": []}
    assert "Fill in “segments”." in launch.problems(made.row, NOON)


def test_a_trigger_on_a_campaign_that_is_not_here_is_left_out_not_widened():
    data = exported(action_based())
    Campaign.objects.filter(name="The other one").delete()
    SubscriptionGroup.objects.filter(name="News").update(name="Other news")
    made = imported(data)
    assert [each["kind"] for each in made.row.triggers] == ["event"]
    assert made.row.subscription_group is None
    assert made.lacking == [
        "campaign or Canvas “The other one”: not here",
        "subscription group “News”: not here",
        "custom event “ordered”: not seen here yet",
        "custom event “paid”: not seen here yet",
    ]


def test_a_name_that_several_bear_is_not_guessed():
    data = exported(action_based())
    CampaignFactory(name="The other one")
    assert "campaign or Canvas “The other one”: several are called so here" in imported(data).lacking


def test_secrets_are_never_in_it_and_block_the_launch_until_they_are_there():
    campaign = CampaignFactory(url="https://hooks.slack.com/services/T0/B0/xoxsecret?key=k-123&a=b")
    signing.rotate(campaign.sender, NOON)
    content = content_of(campaign)
    content.headers = [
        {"name": "X-Sealed", "value": secrets.seal("s3cret-one"), "is_secret": True},
        {"name": "Authorization", "value": "Bearer s3cret-two", "is_secret": False},
        {"name": "X-Api-Key", "value": "{{credentials.${mine}}}", "is_secret": False},
    ]
    content.save()
    content.overrides.create(language="de", url="https://example.com/?token=s3cret-three&b={{${user_id}}}")
    data = exported(campaign)
    for secret in ("s3cret", "xoxsecret", "k-123", "whsec", content.headers[0]["value"]):
        assert secret not in data.decode()
    assert "{{credentials.${mine}}}" in data.decode()
    assert "b={{${user_id}}}" in data.decode()
    made = imported(data)
    assert exported(made.row).replace(b'"is_signed": false', b'"is_signed": true') == data
    assert [line.rpartition(" ")[2] for line in made.lacking if "header" in line] == ["X-Sealed", "Authorization"]
    assert any("sign" in line for line in made.lacking)
    problems = " ".join(launch.problems(made.row, NOON))
    assert "<SECRET> is still a placeholder" in problems
    assert "The secret value of the header X-Sealed is missing." in problems


def test_what_is_left_out_is_as_in_a_new_campaign():
    made = imported(b'{"hookline": 1, "kind": "campaign", "name": "Small"}').row
    assert (made.delivery, made.to_everyone, made.obeys_caps) == ("scheduled", False, True)
    assert [(arm.name, arm.share, arm.contents.count()) for arm in made.variants.all()] == [("Variant 1", 100, 1)]


def test_a_secret_in_a_file_is_refused():
    data = json.loads(exported(CampaignFactory()))
    data["variants"][0]["webhooks"][0]["headers"] = [{"name": "X-Key", "value": "abc", "is_secret": True}]
    with pytest.raises(files.BadFile, match=r"variants\[0\].webhooks\[0\].headers\[0\].value: A secret has no place"):
        imported(json.dumps(data).encode())
    assert Campaign.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"settings": {"delivery": "pigeon"}}, "settings.delivery: It must be 'scheduled', 'action' or 'api'."),
        ({"settings": {"every": 0}}, "settings.every: It must be 1 at least."),
        ({"settings": {"every": "1"}}, "settings.every: It must be a whole number."),
        ({"settings": {"every": 10**12}}, "settings.every: It must be 366 at most."),
        ({"settings": {"reeligible_seconds": 10**9}}, "settings.reeligible_seconds: It must be 62208000 at most."),
        ({"settings": {"to_everyone": 1}}, "settings.to_everyone: It must be true or false."),
        ({"settings": {"start_at": "soon"}}, "settings.start_at: It is no time"),
        ({"settings": {"start_at": "2026-03-31T09:00:00"}}, "settings.start_at: Write it with its zone"),
        ({"settings": {"start_at": "0001-01-01T00:00:00Z"}}, "settings.start_at: It lies between"),
        ({"settings": {"quiet_start": "09:00:00+02:00"}}, "settings.quiet_start: A time of day has no zone."),
        ({"settings": {"zone": "Mars/Base"}}, "settings.zone: “Mars/Base” is not a time zone."),
        ({"settings": {"month_days": [0]}}, r"settings.month_days\[0\]: A day of the month"),
        ({"settings": {"weekdays": [7]}}, r"settings.weekdays\[0\]: It must be 6 at most."),
        ({"settings": {"delay": {"mode": "personal"}}}, "settings.delay.mode: It must be"),
        ({"settings": {"delay": {"mode": "days", "at": "99:99"}}}, "settings.delay.at: “99:99” can't be read."),
        ({"settings": {"delay": {"mode": "after", "count": 900, "unit": "weeks"}}}, "settings.delay: A delay lasts"),
        ({"settings": {"triggers": [{"kind": "event"}]}}, r"settings.triggers\[0\]: Name the custom event."),
        ({"settings": {"triggers": [{"kind": "session", "x": 1}]}}, r"settings.triggers\[0\].x: There is no such"),
        (
            {"settings": {"triggers": [{"kind": "session", "conditions": [{"name": "a", "op": ["x"]}]}]}},
            r"settings.triggers\[0\].conditions\[0\]: A condition is missing its parts.",
        ),
        ({"settings": {"filters": {"filter": "pigeons"}}}, "settings.filters.filter: There is no filter “pigeons”."),
        ({"settings": {"filters": {"all": [{"any": []}]}}}, r"settings.filters.all\[0\].any: A group is empty"),
        ({"settings": {"filters": {"all": [{"filter": ["x"]}]}}}, r"settings.filters.all\[0\].filter: There is no"),
        (
            {"settings": {"filters": {"filter": "segment", "op": "in", "segments": [3]}}},
            "settings.filters.segments: Names are texts.",
        ),
        ({"settings": {"filters": []}}, "settings.filters: It must be an object."),
        ({"settings": {"to_everyone": True, "filters": PLANS}}, "settings.to_everyone: Choose either all profiles"),
        ({"settings": {"status": "active"}}, "settings.status: There is no such field."),
        ({"id": 5}, "id: There is no such field."),
        ({"name": " "}, "name: It is not written as it should be."),
        ({"name": "x" * 256}, "name: It is longer than 255 characters."),
        ({"variants": [{"share": 50}]}, r"variants\[0\].name: It is missing."),
        ({"variants": [{"name": "a", "share": 101}]}, r"variants\[0\].share: It must be 100 at most."),
        ({"variants": [{"name": "a", "share": 1}] * 10}, "variants: It has more than 9 entries."),
        ({"variants": [{"name": "a", "share": 1, "is_control": True}] * 2}, "variants: There can be one control"),
        (
            {"variants": [{"name": "a", "share": 1, "webhooks": [{"languages": [{"language": "de"}] * 2}]}]},
            r"variants\[0\].webhooks\[0\].languages: A language is there twice.",
        ),
        ({"conversions": [{"trigger": {"kind": "purchase"}, "window_seconds": 5}]}, r"conversions\[0\].window_seconds"),
        ({"rate_per_minute": 1}, "rate_per_minute: It must be 10 at least."),
        ({"hookline": 2}, "hookline: This version of the format is not known here"),
        ({"hookline": True}, "hookline: This version of the format is not known here"),
        ({"kind": "pigeon"}, "kind: It must be one of these: segment, campaign, canvas."),
        ({"kind": ["x"]}, "kind: It must be one of these"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_nothing_is_made(changes, problem):
    data = edited(exported(CampaignFactory()), **changes)
    with pytest.raises(files.BadFile, match=f"^{problem}"):
        imported(data)
    assert Campaign.objects.count() == 1
    assert Content.objects.count() == 1


def test_of_several_documents_all_are_made_or_none():
    good, bad = KIND.document(CampaignFactory()), {**KIND.document(CampaignFactory()), "rate_per_minute": 1}
    with pytest.raises(files.BadFile, match=r"^\[1\].rate_per_minute: "):
        files.make(files.read(files.write([good, bad])))
    assert Campaign.objects.count() == 2
    assert len(files.make(files.read(files.write([good, good])))) == 2


def test_a_rehearsal_leaves_nothing_behind():
    data = exported(scheduled())
    before = Campaign.objects.count(), Content.objects.count()
    [made] = files.rehearse(files.read(data))
    assert (made.row.name, [*made.facts]) == ("Once", ["Scheduled", "1 variant", "1 webhook"])
    assert (Campaign.objects.count(), Content.objects.count()) == before


def test_a_copy_is_made_from_the_same_document():
    campaign = api_triggered()
    twin = copies.duplicate(campaign, NOON)
    Campaign.objects.filter(pk=twin.pk).update(name=campaign.name)
    assert exported(Campaign.objects.get(pk=twin.pk)) == exported(campaign)
