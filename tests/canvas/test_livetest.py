"""Live tests: chosen profiles walk the draft in minutes, and nothing of it is seen elsewhere."""

from datetime import time, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from api import lookups
from api.errors import BadRequest
from audience.models import Alias, Profile, SuppressionList
from canvas import editing, experiments, launch, lifecycle, owners, people, publishing, stories, told
from canvas.livetest import twin as twins
from canvas.livetest import wipe
from canvas.livetest.twin import Wanted
from canvas.models import Canvas, ExperimentResult, Journey, StepContent, StepVisit
from config.pages import palette
from outreach.errors import NotLaunchable
from outreach.filters import outreach_choices
from outreach.models import DailyCount, Enrolment, FrequencyRule, OutgoingEvent, Outreach, Variant
from tests.canvas.world import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    S,
    action_paths,
    build,
    claim,
    delay,
    event,
    go_live,
    happens,
    has,
    let_in,
    message,
    run,
    step_named,
    trace,
    variants,
)
from tests.conftest import NOON
from tests.factories import AdminFactory, ProfileFactory, TagFactory, TeamFactory
from webhooks import signing
from webhooks.attempt import Attempt
from webhooks.models import Content, Message, Receipt
from webhooks.record import record
from webhooks.request import Answer, Request
from workspace import remembered

pytestmark = pytest.mark.django_db(transaction=True)


def begin(canvas: Canvas, *who: Profile, now=NOON, **wanted) -> Canvas:
    return twins.start(canvas, Wanted([profile.pk for profile in who], **wanted), now)


def wakes(profile: Profile) -> timedelta:
    return Journey.objects.get(profile=profile).wake_at - NOON


# --- time


def test_a_day_of_delay_takes_a_minute_and_the_journey_ends():
    ada = ProfileFactory()
    canvas = build([message("hello"), delay("wait", count=1), message("again")])
    twin = begin(canvas, ada)
    run(NOON)
    assert wakes(ada) == MINUTE
    run(NOON + MINUTE)
    assert trace(twin, ada) == ["hello", "wait", "again"]
    assert Journey.objects.get().ended_at == NOON + MINUTE


GOAL = {"name": "Order", "triggers": [event("order")], "seconds": 86_400}


def experiment(**settings) -> S:
    return S("experiment", "which", {"window_days": 1, **settings}, ((1, [message("one")]), (0, [])))


PERSONAL = {"mode": "personal", "source": "context", "name": "hours", "unit": "hours", "as": "duration"}


@pytest.mark.parametrize(
    ("step", "waits"),
    [
        (delay(count=2, unit="hours", holds_at_end=True), 2 * MINUTE),
        (delay(mode="days", at="12:00", holds_at_end=True), 24 * MINUTE),
        (S("delay", "wait", {**PERSONAL, "holds_at_end": True}), 3 * MINUTE),
        (message(schedule={"mode": "after", "count": 30, "unit": "minutes"}), MINUTE / 2),
        (action_paths("buys?", ([event("order")], [message()]), count=10, unit="hours"), 10 * MINUTE),
        (experiment(shares={"0": 100, "1": 0}, control="exit"), 24 * MINUTE),
    ],
)
def test_every_wait_is_divided_by_the_factor(step, waits):
    ada = ProfileFactory()
    begin(build([step], conversions=[GOAL]), ada, time_factor=60, properties={"hours": 3})
    run(NOON)
    assert wakes(ada) == waits


def test_an_action_decides_within_the_short_window_and_everybody_else_goes_at_its_end():
    ada, bob = ProfileFactory.create_batch(2)
    twin = begin(
        build([action_paths("buys?", ([event("order")], [message("thanks")]), rest=[message("nudge")])]), ada, bob
    )
    run(NOON)
    happens(ada, "order", NOON + 30 * SECOND)
    run(NOON + MINUTE)
    assert trace(twin, ada) == ["buys?", "thanks"]
    assert trace(twin, bob) == ["buys?", "nudge"]


def test_an_experiment_is_decided_and_lets_its_delay_group_go_after_the_shortened_time():
    ada = ProfileFactory()
    shares = {"shares": {"0": 0, "1": 0}, "held": 100, "winner_count": 1, "winner_unit": "days"}
    twin = begin(build([experiment(**shares)], conversions=[GOAL]), ada)
    run(NOON)
    assert wakes(ada) == MINUTE
    assert experiments.decide_due(NOON + 59 * SECOND) == 0
    assert experiments.decide_due(NOON + MINUTE) == 1
    assert ExperimentResult.objects.get().step.canvas_id == twin.pk


def test_the_real_canvas_keeps_its_time():
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait", count=1), message("again")]))
    let_in(canvas, ada)
    run(NOON)
    assert wakes(ada) == DAY


# --- who enters, and what holds


def test_only_the_chosen_enter_whoever_is_in_the_audience():
    ada, bob = ProfileFactory.create_batch(2)
    nobody = {"filter": "custom_attribute", "name": "plan", "type": "text", "op": "any_of", "values": ["none"]}
    twin = begin(build([message("hello")], to_everyone=False, filters=nobody, entry_limit=0), ada)
    run(NOON)
    assert [*Journey.objects.values_list("canvas", "profile")] == [(twin.pk, ada.pk)]
    assert bob.pk not in Message.objects.values_list("profile_id", flat=True)


def test_without_control_group_the_chosen_go_along_the_variants_in_turn_or_along_one():
    four = ProfileFactory.create_batch(4)
    canvas = build([message("hello")])
    publishing.draft_of(canvas)
    Variant.objects.filter(outreach=canvas).update(share=10)
    first = Variant.objects.get(outreach=canvas)
    Variant.objects.create(outreach=canvas, name="control", share=80, is_control=True, position=9)
    second = Variant.objects.create(outreach=canvas, name="second", share=10, position=1)
    draft = publishing.draft_of(canvas)
    draft.paths.create(variant=second, target=draft.paths.get(variant=first).target)
    twin = begin(canvas, *four)
    arms = dict(Journey.objects.order_by("profile").values_list("profile", "variant__name"))
    assert [arms[p.pk] for p in four] == ["Variant 1", "second", "Variant 1", "second"]
    assert sorted(v.share for v in variants(twin)) == [50, 50]
    begin(canvas, *four, variant=second.pk)
    assert {*Journey.objects.values_list("variant__name", flat=True)} == {"second"}


def test_no_quiet_hours_and_no_caps_hold_and_the_caps_of_others_count_nothing():
    ada = ProfileFactory()
    FrequencyRule.objects.create(most=1, every=1, unit="days")
    canvas = build([message("one"), message("two")], quiet_mode="own", quiet_start=time(0), quiet_end=time(23))
    begin(canvas, ada)
    run(NOON)
    assert [*Message.objects.values_list("outcome", flat=True)] == ["received", "received"]
    other = go_live(build([message("real")], name="other"))
    let_in(other, ada)
    run(NOON)
    assert Message.objects.get(sender=other.sender).outcome == "received"


def test_it_signs_as_the_canvas_does():
    canvas = build([message("hello")])
    signing.rotate(canvas.sender, NOON)
    twin = begin(canvas, ProfileFactory())
    assert len(signing.signers([twin.sender_id], NOON)[twin.sender_id]) == 1


def test_suppression_lists_hold_with_the_exceptions_of_the_canvas_s_tags():
    ada = ProfileFactory(custom_attributes={"plan": "none"})
    canvas, tag = build([message("hello")]), TagFactory()
    mute = SuppressionList.objects.create(name="mute", status="active", filters=has("plan", "none")["filters"])
    begin(canvas, ada)
    run(NOON)
    assert Message.objects.get().outcome == "aborted"
    mute.exception_tags.add(tag)
    canvas.tags.add(tag)
    remembered.forget_all()
    begin(canvas, ada)
    run(NOON)
    assert Message.objects.get().outcome == "received"


def test_where_its_webhooks_are_listed_the_way_leads_to_the_test():
    canvas = build([message("hello")], name="Spring")
    twin = begin(canvas, ProfileFactory())
    (content,) = Content.objects.filter(step_contents__revision__step__canvas=twin)
    owner = owners.of_content(content)
    assert (owner.title, owner.url) == ("Spring (live test) › hello", url(canvas))
    assert [*told.uses_of_content(content)] == []


def test_entry_properties_are_those_that_were_given():
    ada = ProfileFactory()
    begin(build([message("hello")]), ada, properties={"order": 7})
    assert Journey.objects.get().context == {"order": 7}


def test_steps_that_are_not_ready_are_named_and_nothing_begins():
    canvas = build([delay("wait", mode="none"), message("hello", webhooks=0)])
    with pytest.raises(NotLaunchable) as error:
        begin(canvas, ProfileFactory())
    assert any("wait" in problem for problem in error.value.problems)
    assert any("hello" in problem for problem in error.value.problems)
    assert wipe.twin_of(canvas) is None


def test_the_draft_of_a_live_canvas_is_tested_beside_the_version_in_force():
    ada = ProfileFactory()
    canvas = go_live(build([message("hello")]))
    draft = publishing.draft_of(canvas)
    draft.revisions.update(name="changed")
    twin = begin(canvas, ada)
    run(NOON)
    assert trace(twin, ada) == ["changed"]
    assert not Journey.objects.filter(canvas=canvas).exists()


# --- kept apart


def test_it_is_hidden_from_lists_filters_the_person_and_pages(client):
    ada = ProfileFactory()
    canvas = build([message("hello")], name="Spring")
    twin = begin(canvas, ada)
    run(NOON)
    assert [*Canvas.objects.all()] == [canvas]
    assert [*Outreach.objects.values_list("pk", flat=True)] == [canvas.pk]
    assert twin.pk not in dict(outreach_choices())
    assert people.journeys(ada).rows == []
    client.force_login(AdminFactory())
    for page in ("admin:index", "admin:canvas_canvas_changelist", "calendar"):
        assert "live test" not in client.get(reverse(page)).text
    assert client.get(reverse("admin:canvas_canvas_flow", args=[twin.pk])).status_code == 404


def test_the_api_and_the_search_do_not_find_it(rf):
    canvas = build([message("hello")], name="Spring")
    twin = begin(canvas, ProfileFactory())
    with pytest.raises(BadRequest):
        lookups.canvas(str(twin.key))
    request = rf.get("/")
    request.user = AdminFactory()
    assert [found.title for found in palette.search(request, "spring")] == ["Spring"]


def test_the_numbers_of_the_canvas_stay_as_they_were():
    ada, bob = ProfileFactory.create_batch(2)
    canvas = go_live(build([message("hello")]))
    let_in(canvas, bob)
    run(NOON)
    before = [*DailyCount.objects.filter(outreach=canvas).values_list("metric", "count")]
    begin(canvas, ada)
    run(NOON)
    assert [*DailyCount.objects.filter(outreach=canvas).values_list("metric", "count")] == before


def test_other_systems_are_told_nothing_of_it(settings):
    settings.EVENTS_OUT_DAYS = 1
    ada = ProfileFactory()
    begin(build([message("hello")], conversions=[GOAL]), ada)
    run(NOON)
    happens(ada, "order", NOON + MINUTE)
    assert not OutgoingEvent.objects.exists()


# --- the end


def gone(canvas: Canvas) -> bool:
    tables = (Journey, StepVisit, Message, Receipt, Enrolment)
    return wipe.twin_of(canvas) is None and not any(table.objects.exists() for table in tables)


def test_wiping_leaves_nothing_but_the_canvas_itself():
    contents = Content.objects.count()
    canvas = build([message("hello"), delay("wait"), message("again")])
    own = Content.objects.count()
    begin(canvas, *ProfileFactory.create_batch(3))
    run(NOON)
    assert Content.objects.count() == 2 * own - contents
    wipe.everything(canvas, NOON)
    assert gone(canvas)
    assert Content.objects.count() == own == StepContent.objects.count()
    assert [*Outreach.with_tests.values_list("pk", flat=True)] == [canvas.pk]
    assert not DailyCount.objects.exists()


def test_a_new_test_takes_the_place_of_the_one_before():
    ada, bob = ProfileFactory.create_batch(2)
    canvas = build([message("hello")])
    first = begin(canvas, ada)
    run(NOON)
    second = begin(canvas, bob)
    assert wipe.twin_of(canvas) == second != first
    assert [*Journey.objects.values_list("profile", flat=True)] == [bob.pk]


@pytest.mark.parametrize("ends", [launch.start, lifecycle.archive])
def test_launching_or_archiving_the_canvas_wipes_its_test(ends):
    canvas = build([message("hello")], entry="api")
    begin(canvas, ProfileFactory())
    run(NOON)
    ends(canvas, NOON + HOUR)
    assert gone(canvas)


def test_ending_lets_everybody_leave_and_keeps_the_story():
    ada = ProfileFactory()
    twin = begin(build([message("hello"), delay("wait"), message("again")]), ada)
    run(NOON)
    lifecycle.archive(twin, NOON + SECOND)
    run(NOON + SECOND)
    story = stories.of(twin, [Journey.objects.get()])[0]
    assert (story.journey.exit_reason, [stop.name for stop in story.stops]) == ("archived", ["hello", "wait"])


def test_who_is_reset_has_never_entered_and_may_begin_anew():
    ada, bob = ProfileFactory.create_batch(2)
    canvas = build([message("hello"), delay("wait"), message("again")])
    twin = begin(canvas, ada, bob)
    run(NOON)
    wipe.people(twin, [ada.pk])
    for table in (Journey, Message, Receipt, Enrolment):
        assert [*table.objects.values_list("profile", flat=True)] == [bob.pk]
    twins.add(canvas, twin, Wanted([ada.pk, bob.pk]), NOON + SECOND)
    run(NOON + SECOND)
    assert trace(twin, ada) == trace(twin, bob) == ["hello", "wait"]
    assert Message.objects.count() == 2


def test_an_answer_that_comes_after_the_wipe_changes_nothing():
    canvas = build([message("hello")])
    begin(canvas, ProfileFactory())
    run(NOON, answer=None)
    on_the_wire = claim(NOON)
    wipe.everything(canvas, NOON)
    request = Request("POST", "https://example.com/hook", "example.com")
    assert record([Attempt(m, request, Answer(200)) for m in on_the_wire]) == 0
    assert gone(canvas)
    assert not DailyCount.objects.exists()


# --- the page


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory(username="mina"))
    return client


def url(canvas: Canvas, name: str = "live_test") -> str:
    return reverse(f"admin:canvas_canvas_{name}", args=[canvas.pk])


def test_profiles_are_chosen_by_whatever_names_them(admin):
    ada, bob = ProfileFactory(external_id="ada", email="ada@example.com"), ProfileFactory(phone="+821012345678")
    eve = ProfileFactory(external_id="ada-2")
    Alias.objects.create(profile=eve, label="crm", name="77")
    canvas = build([message("hello")])
    answer = admin.post(url(canvas), {"do": "start", "people": "ADA@example.com\n010-none\n", "time_factor": 60})
    assert "No profile is called “010-none”." in answer.text
    assert wipe.twin_of(canvas) is None
    typed = {"do": "start", "people": "ada\n +821012345678\n\n77\nada", "time_factor": 60, "properties": '{"a": 1}'}
    assert admin.post(url(canvas), typed).status_code == 302
    assert [*Journey.objects.order_by("pk").values_list("profile", flat=True)] == [ada.pk, bob.pk, eve.pk]
    assert wipe.twin_of(canvas).time_factor == 60
    assert Journey.objects.first().context == {"a": 1}


def test_a_name_that_several_have_and_more_than_twenty_are_refused(admin):
    ProfileFactory.create_batch(2, email="both@example.com")
    many = [profile.external_id for profile in ProfileFactory.create_batch(21)]
    canvas = build([message("hello")])
    answer = admin.post(url(canvas), {"do": "start", "people": "both@example.com", "time_factor": 0})
    assert "Several profiles are called “both@example.com”" in answer.text
    answer = admin.post(url(canvas), {"do": "start", "people": "\n".join(many), "time_factor": 1441})
    assert "At most 20 profiles can be in a test." in answer.text
    admin.post(url(canvas), {"do": "start", "people": "\n".join(many[:20]), "time_factor": 1440})
    answer = admin.post(url(canvas), {"do": "add", "people": many[20]})
    assert "At most 20 profiles can be in a test." in answer.text
    assert Journey.objects.count() == 20


def test_the_page_tells_where_each_is_with_the_answers_until_the_test_is_wiped(admin):
    ada = ProfileFactory(external_id="ada")
    canvas = build([message("hello"), delay("wait"), message("again")])
    admin.post(url(canvas), {"do": "start", "people": "ada", "time_factor": 1440})
    now = timezone.now() + SECOND
    run(now, answer=404)
    part = admin.get(url(canvas, "live_test_state")).text
    assert "A day takes 1 minute." in part
    assert "It is in “wait” and goes on at" in part
    assert 'hx-trigger="every 2s"' in part
    assert "404 Not Found" in part
    run(now + MINUTE)
    part = admin.get(url(canvas, "live_test_state")).text
    assert "The test is over" in part
    assert "hx-get" not in part
    admin.post(url(canvas), {"do": "reset", "profile": ada.pk})
    assert "Nobody is in the test." in admin.get(url(canvas)).text
    admin.post(url(canvas), {"do": "add", "people": "ada"})
    admin.post(url(canvas), {"do": "end"})
    run(now + MINUTE)
    assert Journey.objects.get().exit_reason == "archived"
    admin.post(url(canvas), {"do": "wipe"})
    assert gone(canvas)


def test_the_page_says_when_the_canvas_was_changed_since(admin):
    canvas = build([message("hello")])
    begin(canvas, ProfileFactory())
    assert "The Canvas was changed since" not in admin.get(url(canvas)).text
    draft = publishing.draft_of(canvas)
    editing.copy_step(draft, step_named(canvas, "hello"))
    assert "The Canvas was changed since" in admin.get(url(canvas)).text


def test_what_keeps_a_test_from_starting_is_said_on_the_page(admin):
    ProfileFactory(external_id="ada")
    canvas = build([message("hello", webhooks=0)])
    answer = admin.post(url(canvas), {"do": "start", "people": "ada", "time_factor": 60})
    assert "hello: There is no webhook yet." in answer.text


def test_only_who_may_edit_and_see_people_and_webhooks_may_test(client):
    canvas = build([message("hello")])
    ProfileFactory(external_id="ada")
    user = User.objects.create_user("vera", is_staff=True)
    client.force_login(user)
    start = {"do": "start", "people": "ada", "time_factor": 60}
    for codename in ("view_canvas", "view_profile", "change_canvas", "view_content"):
        assert client.post(url(canvas), start).status_code == 403
        user.user_permissions.add(Permission.objects.get(codename=codename))
    assert client.post(url(canvas), start).status_code == 302
    canvas.teams.add(TeamFactory())
    assert client.get(url(canvas)).status_code == 404


def test_deleting_a_draft_takes_its_test_along(admin):
    canvas = build([message("hello")])
    begin(canvas, ProfileFactory())
    admin.post(reverse("admin:canvas_canvas_delete", args=[canvas.pk]), {"post": "yes"})
    assert not Canvas.with_tests.exists()
    assert not Journey.objects.exists()
