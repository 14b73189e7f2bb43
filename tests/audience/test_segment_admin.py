"""Segments in the admin."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from audience import counting, filters, segments, uses
from audience.filters.fields import References
from audience.filters.kinds import yes_or_no
from audience.models import Profile, Segment, SegmentSize, SuppressionList
from tests.factories import AdminFactory, CampaignFactory, ProfileFactory, SegmentFactory, SenderFactory, TeamFactory
from webhooks.models import Receipt, Sender

pytestmark = pytest.mark.django_db
EVERYONE = {"filter": "everyone"}
BASE = "/admin/audience/segment/"


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory())
    return client


def marketer(*permissions: str) -> User:
    user = User.objects.create_user("marketer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def including(segment: Segment) -> dict:
    return {"filter": "segment", "op": "in", "segments": [segment.pk]}


def post(client, segment: Segment, tree: str, **more):
    data = {"name": segment.name, "filters": tree, **more}
    return client.post(f"{BASE}{segment.pk}/change/", data, follow=True)


def test_a_segment_is_saved_from_json_without_javascript(admin):
    answer = admin.post(f"{BASE}add/", {"name": "All <b>", "filters": '{"filter": "everyone"}'}, follow=True)
    assert Segment.objects.get().filters == EVERYONE
    assert "All &lt;b&gt;" in answer.text
    assert "All <b>" not in answer.text


def test_hostile_names_and_values_are_escaped_in_the_builder(admin):
    evil = "\"><script>alert('x')</script>"
    leaf = {"filter": "custom_attribute", "name": evil, "type": "text", "op": "any_of", "values": [evil]}
    segment = SegmentFactory(filters={"all": [leaf, {"filter": evil}], "name": evil})
    page = admin.get(f"{BASE}{segment.pk}/change/").text
    assert "<script>alert" not in page
    answer = admin.post(reverse("admin:audience_filters"), {"builder": evil, "action": "add-filter"})
    assert "<script>alert" not in answer.text


def test_a_circle_is_refused_and_named(admin):
    a = SegmentFactory(name="A")
    b = SegmentFactory(name="B", filters=including(a))
    c = SegmentFactory(name="C", filters={"not": including(b)})
    answer = post(admin, a, f'{{"all": [{{"filter": "segment", "op": "in", "segments": [{c.pk}]}}]}}')
    assert "A → C → B → A" in answer.text
    a.refresh_from_db()
    assert a.filters == EVERYONE
    itself = post(admin, a, f'{{"filter": "segment", "op": "in", "segments": [{a.pk}]}}')
    assert "A → A" in itself.text


def test_a_circle_that_got_in_selects_nobody():
    a, b = SegmentFactory(name="A"), SegmentFactory(name="B")
    for one, other in ((a, b), (b, a)):
        Segment.objects.filter(pk=one.pk).update(filters=including(other))
    ProfileFactory()
    assert not segments.members([a], {}, timezone.now()).exists()
    assert "include each other" in segments.problems([a], {}, timezone.now())[0].sentence


def test_what_is_used_can_be_neither_deleted_nor_archived(admin):
    inner = SegmentFactory(name="Inner")
    SegmentFactory(name="Outer", filters=including(inner))
    SuppressionList.objects.create(name="Quiet", filters=including(inner))
    page = admin.post(f"{BASE}{inner.pk}/delete/", {"post": "yes"}, follow=True)
    assert "segment “Outer”" in page.text
    assert "suppression list “Quiet”" in page.text
    selected = {"action": "delete_selected", "_selected_action": [inner.pk], "post": "yes"}
    admin.post(BASE, selected)
    assert Segment.objects.filter(pk=inner.pk).exists()
    answer = post(admin, inner, '{"filter": "everyone"}', is_archived="on")
    assert "It is used by segment “Outer” and suppression list “Quiet”." in answer.text
    assert "segment “Outer”" in admin.get(f"{BASE}{inner.pk}/change/").text


def test_what_a_campaign_uses_cannot_be_deleted(admin):
    """A campaign to two segments would otherwise reach more people once one of them is gone."""
    segment, by_filter = SegmentFactory.create_batch(2)
    campaign = CampaignFactory(name="Spring", to_everyone=False, filters=including(by_filter))
    campaign.segments.add(segment)
    for each in (segment, by_filter):
        assert [str(use) for use in uses.of_segment(each)] == ["campaign “Spring”"]
        admin.post(f"{BASE}{each.pk}/delete/", {"post": "yes"})
    assert Segment.objects.count() == 2


def test_an_unused_segment_is_deleted(admin):
    segment = SegmentFactory()
    admin.post(f"{BASE}{segment.pk}/delete/", {"post": "yes"})
    assert not Segment.objects.exists()


def test_marketers_see_the_segments_of_their_teams_and_of_none(client):
    ours, theirs, open_to_all = SegmentFactory(name="Ours"), SegmentFactory(name="Theirs"), SegmentFactory(name="Open")
    user = marketer("view_segment", "change_segment")
    team = TeamFactory()
    team.members.add(user)
    ours.teams.add(team)
    theirs.teams.add(TeamFactory())
    client.force_login(user)
    page = client.get(BASE).text
    assert "Ours" in page
    assert "Open" in page
    assert "Theirs" not in page
    assert client.get(f"{BASE}{theirs.pk}/change/").status_code == 302
    assert client.get(f"{BASE}{open_to_all.pk}/change/").status_code == 200


def estimate(client, tree: str):
    return client.post(reverse("admin:audience_filters_estimate"), {"builder": "f", "f": tree, "f__source": "json"})


def typed(client, **inputs: str):
    data = {"builder": "f", "f__source": "inputs", **{f"f[0]{key}": value for key, value in inputs.items()}}
    return client.post(reverse("admin:audience_filters_estimate"), data)


def test_the_estimate_counts_names_and_says_it_in_words(admin):
    ProfileFactory.create_batch(7, country="KR")
    answer = typed(admin, filter="country", op="any_of", values="KR").text
    assert "country is South Korea" in answer
    assert "7 profiles" in answer
    assert answer.count("<li>") == 5
    assert "Fill in" in typed(admin, filter="country", op="any_of").text


def test_only_who_may_see_profiles_sees_examples_and_only_staff_counts(client):
    ProfileFactory(external_id="secret-1")
    client.force_login(marketer("view_segment"))
    answer = typed(client, filter="everyone").text
    assert "1 profile" in answer
    assert "secret-1" not in answer
    client.force_login(User.objects.create_user("other", is_staff=True))
    assert typed(client, filter="everyone").status_code == 403
    client.force_login(User.objects.create_user("visitor"))
    assert typed(client, filter="everyone").status_code == 302


def test_an_exact_count_is_asked_made_and_shown(admin):
    ProfileFactory.create_batch(3)
    segment = SegmentFactory()
    url = reverse("admin:audience_segment_count", args=[segment.pk])
    assert "Counting…" in admin.post(url, headers={"HX-Request": "true"}).text
    assert counting.count_waiting(timezone.now()) == 1
    assert "3 profiles" in admin.get(url).text
    ProfileFactory()
    admin.post(url)  # fresh for a day
    assert counting.count_waiting(timezone.now()) == 0
    post(admin, segment, '{"filter": "age", "op": "more", "value": 99}')
    segment.refresh_from_db()
    assert segment.exact_count is None


def test_a_count_can_be_cancelled(admin):
    segment = SegmentFactory()
    url = reverse("admin:audience_segment_count", args=[segment.pk])
    admin.post(url)
    admin.post(url, {"cancel": "1"})
    assert counting.count_waiting(timezone.now()) == 0


def test_sizes_are_recorded_once_a_day_also_of_a_segment_that_broke():
    ProfileFactory.create_batch(2)
    good, broken = SegmentFactory(), SegmentFactory(filters={"filter": "gone"})
    SegmentFactory(tracks_size=False)
    assert counting.record_sizes(timezone.now()) == 2
    assert counting.record_sizes(timezone.now()) == 0
    sizes = dict(SegmentSize.objects.values_list("segment", "size"))
    assert sizes == {good.pk: 2, broken.pk: 0}
    assert Profile.objects.count() == 2


def test_a_filter_of_a_higher_app_joins_by_registering(admin):
    """What “received” or “in Canvas” need: rows of their own, inputs, words, and a place in the builder."""
    sender = SenderFactory(name="Spring")
    got, _ = ProfileFactory.create_batch(2)
    Receipt.objects.create(sender=sender, profile=got, cause=1, reserved_at=timezone.now(), received_at=timezone.now())
    filters.register(Received())
    try:
        tree = {"all": [{"not": {"filter": "received_test", "op": "has", "senders": [sender.pk]}}]}
        assert filters.validate(tree) == []
        assert filters.sentence(tree) == "not (received Spring)"
        assert Profile.objects.filter(filters.compile_tree(tree, timezone.now())).exclude(pk=got.pk).count() == 1
        assert filters.validate({"filter": "received_test", "op": "has", "senders": [0]})[0].sentence == "0 is gone."
        answer = typed(admin, filter="received_test", op="has", senders=str(sender.pk)).text
        assert "1 profile" in answer
        page = admin.post(reverse("admin:audience_filters"), {"builder": "f", "action": "add-filter"}).text
        assert "received something" in page
    finally:
        del filters.registry["received_test"]


class Received(filters.Filter):
    name = "received_test"
    label = "received something"
    group = filters.MESSAGES

    def ops(self, leaf):
        choices = lambda: [*Sender.objects.values_list("pk", "name")]  # noqa: E731
        return yes_or_no(("has", "has"), ("has_not", "has not"), References("senders", "campaigns", choices=choices))

    def load(self, leaves):
        return {
            row.pk: row.name for row in Sender.objects.filter(pk__in=[k for leaf in leaves for k in leaf["senders"]])
        }

    def extra_problems(self, leaf, scope):
        return ((("senders",), f"{key} is gone.") for key in leaf["senders"] if key not in scope.loaded[self.name])

    def compile(self, leaf, scope):
        found = Q(Exists(Receipt.objects.filter(profile=OuterRef("pk"), sender__in=leaf["senders"])))
        return found if leaf["op"] == "has" else ~found

    def sentence(self, leaf, scope):
        return "received " + ", ".join(scope.loaded[self.name][key] for key in leaf["senders"])
