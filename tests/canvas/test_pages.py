"""The pages of a Canvas: map, steps, variants, exit criteria, launch, versions."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from canvas import editing, launch, publishing, starters, undo
from canvas import graph as graphs
from canvas.models import Canvas, CanvasTemplate, CanvasVersion, Comment, Journey, Kind, Path, StepRevision
from outreach.models import Status, Variant
from tests.canvas.world import (
    DAY,
    action_paths,
    audience_paths,
    build,
    delay,
    event,
    go_live,
    has,
    journey,
    let_in,
    message,
    run,
    split,
    step_named,
    trace,
)
from tests.conftest import NOON
from tests.factories import AdminFactory, ProfileFactory, SegmentFactory, TeamFactory
from webhooks.models import Content

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory(username="mina"))
    return client


def url(name: str, *args: object) -> str:
    return reverse(f"admin:canvas_canvas_{name}", args=args)


def edition(canvas: Canvas) -> str:
    version = publishing.shown(canvas)
    return f"{version.pk}-{version.edition}"


def order(canvas: Canvas) -> list[str]:
    graph = graphs.read(publishing.shown(canvas))
    return [graph.nodes[step].name for step in graph.order]


def every_kind() -> Canvas:
    return build(
        [
            message("hello"),
            delay("wait"),
            action_paths("buys?", ([event("order")], [message("thanks")])),
        ]
    )


def typed(canvas: Canvas, name: str, **changes: object) -> dict[str, object]:
    """The fields that every step's page sends."""
    return {"edition": edition(canvas), "step-name": name, "step-note": "", **changes}


# --- a new one


def test_a_new_canvas_is_a_draft_and_its_map_offers_the_first_step(admin):
    answer = admin.post(url("add"), {"name": "Spring <b>", "template": ""}, follow=True)
    canvas = Canvas.objects.get()
    assert canvas.status == Status.DRAFT
    assert "Spring &lt;b&gt;" in answer.text
    assert "Spring <b>" not in answer.text
    assert url("path", canvas.pk, f"variant-{canvas.variants.get().pk}") in answer.text


@pytest.mark.parametrize("key", starters.READY)
def test_a_ready_template_lacks_only_the_address_of_its_webhooks(admin, key):
    ProfileFactory()
    answer = admin.post(url("add"), {"name": "From a template", "template": key}, follow=True)
    canvas = Canvas.objects.get()
    assert answer.status_code == 200
    problems = admin.get(url("launch", canvas.pk)).context["problems"]
    assert [p.text for p in problems if "Enter the address" not in p.text and "is empty" not in p.text] == []


def test_every_page_of_every_kind_of_step_opens(admin):
    canvas = build([message("one")])
    draft = CanvasVersion.objects.get(canvas=canvas)
    for kind in Kind:
        editing.add_step(draft, kind, Path.objects.filter(version=draft, variant__isnull=False).get())
    for revision in draft.revisions.all():
        answer = admin.get(url("step", canvas.pk, revision.step_id))
        assert answer.status_code == 200, revision.name
        assert admin.get(url("menu", canvas.pk, revision.step_id)).status_code == 200
    for page in ("flow", "exits", "variants", "launch", "versions", "change"):
        assert admin.get(url(page, canvas.pk)).status_code == 200


# --- the map


def test_a_step_is_put_on_any_path(admin):
    canvas = build([split("plan?", has("plan", "pro"), [message("pro")], [message("free")])])
    no = Path.objects.get(version__canvas=canvas, step=step_named(canvas, "plan?"), key=2)
    where = url("path", canvas.pk, f"step-{no.step_id}-{no.key}")
    assert "before “free”" in admin.get(where).text
    admin.post(where, {"kind": "delay", "edition": edition(canvas)})
    graph = graphs.read(publishing.shown(canvas))
    new = graph.next(no.step_id, 2)
    assert graph.nodes[new].kind is Kind.DELAY
    assert graph.next(new, 0) == step_named(canvas, "free")


def test_a_path_leads_elsewhere_but_never_back(admin):
    canvas = build([message("a"), message("b"), message("c")])
    a, b, c = (step_named(canvas, name) for name in "abc")
    page = url("path", canvas.pk, f"step-{a}-0")
    admin.post(page, {"target": c, "edition": edition(canvas)})
    assert graphs.read(publishing.shown(canvas)).next(a, 0) == c
    answer = admin.post(url("path", canvas.pk, f"step-{c}-0"), {"target": a, "edition": edition(canvas)}, follow=True)
    assert "only move forward" in answer.text
    assert b in graphs.read(publishing.shown(canvas)).nodes


def test_steps_move_and_are_duplicated_switched_off_and_deleted(admin):
    canvas = build([message("a"), delay("b"), message("c")])
    a, b, c = (step_named(canvas, name) for name in "abc")

    def act(step: int, **data: object) -> None:
        admin.post(url("menu", canvas.pk, step), {"edition": edition(canvas), **data})

    act(a, action="move", to=f"step-{b}-0")
    assert order(canvas) == ["b", "a", "c"]
    act(c, action="duplicate")
    assert order(canvas) == ["b", "a", "c", "Copy of c"]
    act(b, action="switch")
    assert StepRevision.objects.get(step=b).is_disabled
    act(a, action="delete")
    assert order(canvas) == ["b", "c", "Copy of c"]


def test_undo_takes_back_one_change_after_another(admin):
    canvas = build([message("a"), message("b")])
    a = step_named(canvas, "a")
    admin.post(url("menu", canvas.pk, a), {"edition": edition(canvas), "action": "duplicate"})
    admin.post(url("menu", canvas.pk, a), {"edition": edition(canvas), "action": "delete"})
    assert order(canvas) == ["Copy of a", "b"]
    answer = admin.post(url("undo", canvas.pk), {"edition": edition(canvas)}, follow=True)
    assert "Undone: Deleted “a”" in answer.text
    assert order(canvas) == ["a", "Copy of a", "b"]
    admin.post(url("undo", canvas.pk), {"edition": edition(canvas)})
    assert order(canvas) == ["a", "b"]
    answer = admin.post(url("undo", canvas.pk), {"edition": edition(canvas)}, follow=True)
    assert "nothing to undo" in answer.text


def test_an_edit_of_an_older_draft_is_refused(admin):
    canvas = build([message("a"), message("b")])
    stale = edition(canvas)
    admin.post(url("menu", canvas.pk, step_named(canvas, "b")), {"edition": stale, "action": "duplicate"})
    answer = admin.post(
        url("menu", canvas.pk, step_named(canvas, "a")), {"edition": stale, "action": "delete"}, follow=True
    )
    assert "mina changed this draft meanwhile" in answer.text
    assert "a" in order(canvas)


def test_the_map_shows_numbers_once_live_in_a_bounded_number_of_queries(admin, django_assert_max_num_queries):
    people = ProfileFactory.create_batch(3)
    canvas = go_live(every_kind())
    let_in(canvas, *people)
    run(NOON)
    run(NOON + DAY)
    admin.get(url("flow", canvas.pk))
    with django_assert_max_num_queries(35):
        answer = admin.get(url("flow", canvas.pk))
    cards = {card.node.name: card.numbers for card in answer.context["drawing"].cards}
    assert (cards["hello"]["entered"], cards["hello"]["sent"], cards["hello"]["gone_on"]) == (3, 3, 3)
    assert cards["buys?"]["waiting"] == 3


def test_names_with_markup_stay_text(admin):
    canvas = build([message("<script>alert(1)</script>")])
    for page in (url("flow", canvas.pk), url("step", canvas.pk, canvas.steps.get().pk), url("launch", canvas.pk)):
        assert "<script>alert(1)" not in admin.get(page).text


# --- a step


def test_a_delay_is_set_on_its_page(admin):
    canvas = build([delay("wait"), message("hello")])
    step = step_named(canvas, "wait")
    data = typed(canvas, "Two days", **{"delay-mode": "after", "delay-count": 2, "delay-unit": "days"})
    answer = admin.post(url("step", canvas.pk, step), data, follow=True)
    assert "Wait for 2 days." in answer.text
    revision = StepRevision.objects.get(step=step)
    assert (revision.name, revision.settings["count"]) == ("Two days", 2)


def test_a_message_gets_schedule_audience_exceptions_and_a_webhook_in_one_save(admin):
    canvas = build([message("hello")])
    step = step_named(canvas, "hello")
    segment = SegmentFactory()
    content = StepRevision.objects.get(step=step).contents.get()
    data = typed(canvas, "Offer") | {
        "schedule-mode": "after",
        "schedule-count": 3,
        "schedule-unit": "hours",
        "audience-segments": [segment.pk],
        "unmatched-unmatched": "skip",
        "exceptions-triggers-0-kind": "event",
        "exceptions-triggers-0-name": "order",
        "exceptions-triggers-0-conditions-0-name": "total",
        "exceptions-triggers-0-conditions-0-test": "number:more",
        "exceptions-triggers-0-conditions-0-value": "10",
        "advance-advance": "sent",
        "slot": 0,
        "url": "https://example.com/offer",
        "method": "POST",
        "body_kind": "pairs",
        "pairs-0-key": "n",
        "pairs-0-value": "{{${first_name}}}",
        "pairs-0-type": "text",
        "overrides-TOTAL_FORMS": 0,
        "overrides-INITIAL_FORMS": 0,
    }
    answer = admin.post(url("step", canvas.pk, step), data, follow=True)
    assert "was saved" in answer.text
    revision = StepRevision.objects.get(step=step)
    assert revision.settings["schedule"] == {"mode": "after", "count": 3, "unit": "hours", "zone": "company"} or (
        revision.settings["schedule"]["count"] == 3
    )
    assert revision.settings["audience"] == {"segments": [segment.pk]}
    (trigger,) = revision.settings["exceptions"]
    assert trigger["conditions"] == [{"name": "total", "type": "number", "op": "more", "value": 10}]
    assert (revision.settings["unmatched"], revision.settings["advance"]) == ("skip", "sent")
    assert revision.contents.get().url == "https://example.com/offer"
    assert revision.contents.get().pk != content.pk  # the old wording stays for the way back
    undo.take_back(CanvasVersion.objects.get(canvas=canvas))
    assert StepRevision.objects.get(step=step).contents.get().pk == content.pk


def test_what_is_wrong_with_a_step_stands_where_it_is(admin):
    canvas = build([message("hello"), split("plan?", {})])
    answer = admin.get(url("step", canvas.pk, step_named(canvas, "plan?")))
    (section,) = [section for section in answer.context["editor"].sections if section.problems]
    assert section.key == "audience"
    data = typed(canvas, "") | {"step-name": ""}
    answer = admin.post(url("step", canvas.pk, step_named(canvas, "plan?")), data)
    assert "Nothing was saved" in answer.text
    assert "This field is required" in answer.text


def test_paths_are_added_renamed_ranked_and_removed_until_the_step_is_live(admin):
    canvas = build([audience_paths("plan?", (has("plan", "pro"), [message("pro")]), rest=[message("free")])])
    step = step_named(canvas, "plan?")
    page = url("step", canvas.pk, step)

    def names() -> list[str]:
        return [p.name for p in Path.objects.filter(version__canvas=canvas, step=step).order_by("rank")]

    fields = {"path-1-name": "Pros", "path-0-name": "Others", "group-1-segments": SegmentFactory().pk}
    admin.post(page, typed(canvas, "plan?", do="add") | fields)
    assert names() == ["Pros", "Group 2", "Others"]
    admin.post(page, typed(canvas, "plan?", do="up-2") | fields | {"path-2-name": "VIPs"})
    assert names() == ["VIPs", "Pros", "Others"]
    admin.post(page, typed(canvas, "plan?", do="remove-2") | fields | {"path-2-name": "VIPs"})
    assert names() == ["Pros", "Others"]
    ProfileFactory()
    go_live(canvas)
    answer = admin.post(page, typed(canvas, "plan?", do="add") | fields, follow=True)
    assert "stay as they are" in answer.text


def test_a_webhook_is_added_to_a_step_and_removed_again(admin):
    canvas = build([message("hello")])
    step = step_named(canvas, "hello")
    page = url("step", canvas.pk, step)
    whole = {
        "schedule-mode": "none", "unmatched-unmatched": "exit", "advance-advance": "everyone", "slot": 0,
        "url": "https://example.com/hook", "method": "POST", "body_kind": "pairs",
        "overrides-TOTAL_FORMS": 0, "overrides-INITIAL_FORMS": 0,
    }  # fmt: skip
    admin.post(page, typed(canvas, "hello", do="add-webhook") | whole)
    assert StepRevision.objects.get(step=step).contents.count() == 2
    assert "?webhook=1" in admin.get(page).text
    admin.post(page, typed(canvas, "hello", do="drop-webhook-1") | whole)
    assert StepRevision.objects.get(step=step).contents.count() == 1


def test_a_deleted_segment_is_named_on_the_step_and_stops_the_launch(admin):
    segment = SegmentFactory()
    canvas = build([split("in?", {"segments": [segment.pk]})])
    ProfileFactory()
    segment.delete()
    assert "was deleted" in admin.get(url("step", canvas.pk, step_named(canvas, "in?"))).text
    assert admin.get(url("launch", canvas.pk)).context["problems"]


def test_comments_are_made_and_resolved(admin):
    canvas = build([message("hello")])
    step = step_named(canvas, "hello")
    admin.post(url("comment", canvas.pk), {"step": step, "text": "Is this <i>right</i>?"})
    answer = admin.get(url("step", canvas.pk, step))
    assert "Is this &lt;i&gt;right&lt;/i&gt;?" in answer.text
    admin.post(url("comment", canvas.pk), {"step": step, "resolve": Comment.objects.get().pk})
    assert Comment.objects.get().resolved_by.username == "mina"


# --- settings, variants, exit criteria


def test_settings_are_saved_and_contradictions_are_named(admin):
    canvas = build([message("hello")])
    data = {
        "name": "journey", "to_everyone": "on", "entry": "action", "reentry": "after", "reentry_count": 3,
        "reentry_unit": "days", "entry_cadence": "lifetime", "edited_version": canvas.version,
        "triggers-0-kind": "event", "triggers-0-name": "signed_up", "filters": "", "every": 1,
        "quiet_mode": "workspace",
    }  # fmt: skip
    answer = admin.post(url("change", canvas.pk), data, follow=True)
    assert answer.status_code == 200
    canvas.refresh_from_db()
    assert (canvas.reentry_seconds, canvas.triggers) == (3 * 86_400, [{"kind": "event", "name": "signed_up"}])
    answer = admin.post(url("change", canvas.pk), data)
    assert "Somebody else saved this Canvas" in answer.text
    data |= {"edited_version": canvas.version, "segments": [SegmentFactory().pk], "reentry_count": 721}
    answer = admin.post(url("change", canvas.pk), data)
    assert "Choose either all profiles" in answer.text
    assert "At most 720 days." in answer.text


def test_variants_and_a_control_group(admin):
    canvas = build([message("hello")])
    page = url("variants", canvas.pk)
    admin.post(page, {"do": "add", "name": "B", "edition": edition(canvas)})
    admin.post(page, {"do": "control", "name": "Control", "edition": edition(canvas)})
    arms = {variant.name: variant for variant in canvas.variants.all()}
    assert sorted(variant.share for variant in arms.values()) == [33, 33, 34]
    shares = {"Variant 1": 50, "B": 40, "Control": 20}

    def save(shares: dict[str, int]) -> str:
        data: dict[str, object] = {"do": "save"}
        for name, share in shares.items():
            data |= {f"name-{arms[name].pk}": name, f"share-{arms[name].pk}": share}
        return str(admin.post(page, data, follow=True).text)

    assert "Shares add up to 110 %" in save(shares)
    assert "were saved" in save(shares | {"B": 30})
    admin.post(page, {"do": f"remove-{arms['B'].pk}", "edition": edition(canvas)})
    assert [variant.share for variant in canvas.variants.filter(is_removed=False)] == [50, 50]
    ProfileFactory()
    go_live(canvas)
    del arms["B"]
    assert "can only become smaller" in save({"Variant 1": 40, "Control": 60})


def test_a_variant_added_after_launch_gets_nobody_until_it_is_published(admin):
    ProfileFactory()
    canvas = go_live(build([message("hello")]))
    admin.post(url("variants", canvas.pk), {"do": "add", "name": "B"})
    assert Variant.objects.get(name="B").share == 0
    ada = ProfileFactory()
    let_in(canvas, ada)
    assert journey(ada).variant.name == "Variant 1"


def test_exit_criteria_are_saved_in_the_draft(admin):
    canvas = build([message("hello")])
    data = {"edition": edition(canvas), "events-triggers-0-kind": "purchase", "timing-exits_at_once": "later"}
    admin.post(url("exits", canvas.pk), data)
    draft = CanvasVersion.objects.get(canvas=canvas)
    assert (draft.exit_events, draft.exits_at_once) == ([{"kind": "purchase"}], False)


# --- launch and after


def test_the_launch_page_names_every_problem_with_its_step(admin):
    canvas = build(
        [split("plan?", {}, [message("a", webhooks=0)], [delay("late", mode="date", date="2020-01-01", at="09:00")])]
    )
    loose = editing.add_step(CanvasVersion.objects.get(canvas=canvas), Kind.DELAY, None, "nowhere")
    answer = admin.get(url("launch", canvas.pk))
    texts = "\n".join(problem.text for problem in answer.context["problems"])
    assert "a: There is no webhook yet." in texts
    assert "2020-01-01 has passed" in texts
    assert "plan?" in texts
    assert "The audience is empty" in texts
    warnings = "\n".join(warning.text for warning in answer.context["warnings"])
    assert f"“{loose.name}” can't be reached" in warnings
    admin.post(url("launch", canvas.pk), {"edition": edition(canvas)})
    assert Canvas.objects.get().status == Status.DRAFT


def test_a_loop_is_named_and_never_goes_live(admin):
    canvas = build([message("a"), message("b")])
    ProfileFactory()
    Path.objects.filter(step=step_named(canvas, "b")).update(target=step_named(canvas, "a"))
    answer = admin.get(url("launch", canvas.pk))
    assert "“a” leads back to itself" in "\n".join(problem.text for problem in answer.context["problems"])
    admin.post(url("launch", canvas.pk), {"edition": edition(canvas)})
    assert Canvas.objects.get().status == Status.DRAFT
    assert admin.get(url("flow", canvas.pk)).status_code == 200


def test_launch_pause_resume_stop_and_archive_from_the_pages(admin):
    ProfileFactory()
    canvas = build([message("hello"), delay("wait"), message("again")])
    assert "Ready to launch" in admin.get(url("launch", canvas.pk)).text
    for action, status in [
        ("launch", "active"), ("pause", "paused"), ("resume", "active"), ("stop", "stopped"), ("resume", "active"),
        ("stop", "stopped"), ("archive", "archived"), ("unarchive", "stopped"),
    ]:  # fmt: skip
        page = url("launch", canvas.pk) if action == "launch" else url("action", canvas.pk, action)
        assert admin.get(page).status_code == 200
        assert Canvas.objects.get().status != status or action == "launch"
        admin.post(page, {"edition": edition(canvas)})
        assert Canvas.objects.get().status == status
    assert "Launched." in admin.get(url("versions", canvas.pk)).text


def test_publishing_asks_where_those_go_who_wait_in_a_deleted_step(admin):
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait", count=3), message("a"), message("b")]))
    let_in(canvas, ada)
    run(NOON)
    wait = step_named(canvas, "wait")
    admin.post(url("menu", canvas.pk, wait), {"edition": edition(canvas), "action": "delete"})
    page = url("launch", canvas.pk)
    assert "1 profile waits in “wait”, which is deleted" in admin.get(page).text
    answer = admin.post(page, {"edition": edition(canvas)}, follow=True)
    assert "Say for each deleted step" in answer.text
    b = step_named(canvas, "b")
    admin.post(page, {"edition": edition(canvas), f"when-{wait}": "after", f"to-{wait}": b, "note": "No wait"})
    run(NOON + DAY)
    assert trace(canvas, ada) == ["wait"]
    run(NOON + 3 * DAY)
    assert trace(canvas, ada) == ["wait", "b"]
    assert CanvasVersion.objects.get(canvas=canvas, number=2).note == "No wait"


@pytest.mark.parametrize(("retimed", "told"), [(False, ["wait"]), (True, ["wait", "hello"])])
def test_a_new_delay_is_for_those_who_wait_only_if_that_is_said(admin, retimed, told):
    ada = ProfileFactory()
    canvas = go_live(build([delay("wait", count=3), message("hello")]))
    let_in(canvas, ada)
    run(NOON)
    step = step_named(canvas, "wait")
    data = typed(canvas, "wait", **{"delay-mode": "after", "delay-count": 1, "delay-unit": "days"})
    admin.post(url("step", canvas.pk, step), data)
    page = url("launch", canvas.pk)
    assert "“wait” was: Wait for 3 days. It is: Wait for 1 day." in admin.get(page).text
    admin.post(page, {"edition": edition(canvas)} | ({f"retime-{step}": "1"} if retimed else {}))
    Journey.objects.filter(wake_at__gt=NOON + 4 * DAY).update(wake_at=NOON + DAY)  # "now" was the real clock
    run(NOON + DAY)
    assert trace(canvas, ada) == told
    run(NOON + 3 * DAY)
    assert trace(canvas, ada) == ["wait", "hello"]


def test_versions_say_who_and_what_and_an_older_one_comes_back_as_a_draft(admin):
    ProfileFactory()
    canvas = build([message("a")])
    admin.post(url("launch", canvas.pk), {"edition": edition(canvas)})
    admin.post(url("menu", canvas.pk, step_named(canvas, "a")), {"edition": edition(canvas), "action": "duplicate"})
    assert "You are editing a draft" in admin.get(url("flow", canvas.pk)).text
    admin.post(url("launch", canvas.pk), {"edition": edition(canvas), "note": "Twice"})
    text = admin.get(url("versions", canvas.pk)).text
    assert "Version 2" in text
    assert "“Copy of a” was added" in text
    assert "mina" in text
    assert "This is version 1, as it was published" in admin.get(url("flow", canvas.pk) + "?version=1").text
    admin.post(url("versions", canvas.pk), {"number": 1})
    assert order(canvas) == ["a"]
    assert CanvasVersion.objects.filter(canvas=canvas, number=None).exists()
    admin.post(url("discard", canvas.pk), {"edition": edition(canvas)})
    assert not CanvasVersion.objects.filter(canvas=canvas, number=None).exists()


def test_a_canvas_is_duplicated_and_saved_as_a_template(admin):
    canvas = every_kind()
    admin.post(url("copy", canvas.pk), {"as": "canvas"})
    twin = Canvas.objects.exclude(pk=canvas.pk).get()
    assert order(twin) == order(canvas)
    assert not set(twin.steps.values_list("pk")) & set(canvas.steps.values_list("pk"))
    admin.post(url("copy", canvas.pk), {"as": "template", "name": "Mine"})
    template = CanvasTemplate.objects.get()
    admin.post(url("add"), {"name": "Third", "template": f"saved-{template.pk}"})
    third = Canvas.objects.get(name="Third")
    templates = admin.get(reverse("admin:canvas_canvastemplate_changelist"))
    assert "Mine" in templates.text
    assert order(third) == order(canvas)
    graph = graphs.read(publishing.shown(third))
    assert [graph.nodes[step].contents != () for step in graph.order] == [True, False, False, True]


# --- who may


def test_pages_are_for_those_who_may_see_and_changes_for_those_who_may_change(client):
    canvas = build([message("hello")])
    viewer = User.objects.create_user("vera", is_staff=True)
    client.force_login(viewer)
    assert client.get(url("flow", canvas.pk)).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="view_canvas"))
    page = client.get(url("flow", canvas.pk))
    assert page.status_code == 200
    assert url("menu", canvas.pk, canvas.steps.get().pk) not in page.text
    step = canvas.steps.get().pk
    assert client.post(url("menu", canvas.pk, step), {"action": "delete"}).status_code == 403
    assert client.post(url("undo", canvas.pk)).status_code == 403
    assert client.post(url("variants", canvas.pk), {"do": "add"}).status_code == 403
    assert client.get(url("launch", canvas.pk)).status_code == 403
    assert client.post(url("action", canvas.pk, "stop")).status_code == 403
    assert client.post(url("copy", canvas.pk), {"as": "canvas"}).status_code == 403


def test_a_canvas_of_another_team_is_not_found(client):
    canvas = build([message("hello")])
    canvas.teams.add(TeamFactory())
    viewer = User.objects.create_user("vera", is_staff=True)
    viewer.user_permissions.add(*Permission.objects.filter(content_type__app_label="canvas"))
    client.force_login(viewer)
    for name, args in [("flow", ()), ("step", (canvas.steps.get().pk,)), ("launch", ()), ("versions", ())]:
        assert client.get(url(name, canvas.pk, *args)).status_code == 404


def test_an_edit_of_a_version_that_was_replaced_meanwhile_is_refused(admin):
    ProfileFactory()
    canvas = go_live(build([message("a"), message("b")]))
    stale = edition(canvas)
    editing.copy_step(publishing.draft_of(canvas), step_named(canvas, "a"))
    publishing.publish(canvas, NOON)
    page = url("menu", canvas.pk, step_named(canvas, "b"))
    answer = admin.post(page, {"edition": stale, "action": "delete"}, follow=True)
    assert "published another version meanwhile" in answer.text
    assert "b" in order(canvas)


@pytest.mark.parametrize("is_live", [False, True])
def test_what_somebody_else_changed_meanwhile_is_neither_launched_nor_published(admin, is_live):
    ProfileFactory()
    canvas = build([message("a"), message("b")])
    if is_live:
        go_live(canvas)
        editing.copy_step(publishing.draft_of(canvas), step_named(canvas, "a"))
    looked_at = edition(canvas)
    assert f'name="edition" value="{looked_at}"' in admin.get(url("launch", canvas.pk)).text
    editing.copy_step(publishing.draft_of(canvas), step_named(canvas, "b"))
    answer = admin.post(url("launch", canvas.pk), {"edition": looked_at}, follow=True)
    assert "The draft was changed meanwhile" in answer.text
    canvas.refresh_from_db()
    assert canvas.status == ("active" if is_live else "draft")
    assert canvas.versions.exclude(number=None).count() == is_live
    admin.post(url("launch", canvas.pk), {"edition": edition(canvas)})
    canvas.refresh_from_db()
    assert canvas.status == "active"
    assert canvas.versions.exclude(number=None).count() == 1 + is_live


def test_a_segment_that_a_step_or_the_exit_criteria_ask_for_can_not_be_archived(admin):
    asked, ends, free = SegmentFactory.create_batch(3)
    grouped = audience_paths("which?", ({"segments": [asked.pk]}, [message("yes")]))
    canvas = build([grouped], version={"exit_audience": {"segments": [ends.pk]}})
    for segment, used in ((asked, True), (ends, True), (free, False)):
        data = {"name": segment.name, "filters": '{"filter": "everyone"}', "is_archived": "on"}
        text = admin.post(reverse("admin:audience_segment_change", args=[segment.pk]), data, follow=True).text
        assert ("It is used by" in text) is used
    assert canvas.name in admin.get(reverse("admin:audience_segment_change", args=[asked.pk])).text


def test_a_discarded_draft_leaves_no_webhooks_behind(admin):
    ProfileFactory()
    canvas = go_live(build([message("a")]))
    kept = set(Content.objects.values_list("pk", flat=True))
    editing.copy_step(publishing.draft_of(canvas), step_named(canvas, "a"))
    assert Content.objects.count() == 2
    publishing.discard(canvas)
    assert set(Content.objects.values_list("pk", flat=True)) == kept


def warnings_of(canvas: Canvas) -> str:
    return "\n".join(finding.text for finding in launch.warnings(canvas, NOON))


def test_what_often_is_not_meant_is_said_before_the_launch():
    later, earlier = ({"mode": "date", "date": f"2027-0{n}-01", "at": "09:00", "count": 0} for n in (3, 2))
    canvas = build(
        [delay("march", **later), delay("february", **earlier), message("hello")], url="http://example.com/x"
    )
    content = Content.objects.get()
    content.raw_body = "{{event_properties.${order}}}"
    content.save()
    text = warnings_of(canvas)
    assert "“february” waits until a date before that of “march”" in text
    assert "“hello” calls an address without https" in text
    assert "“hello” uses event properties, but no action path comes before it" in text
    assert "There is no conversion event" in text
    sound = build([action_paths("buys?", ([event("order")], [message("thanks")]))])
    assert "event properties" not in warnings_of(sound)
    assert "https" not in warnings_of(sound)


def test_a_draft_can_be_deleted_with_all_it_has(admin):
    canvas = every_kind()
    admin.post(reverse("admin:canvas_canvas_delete", args=[canvas.pk]), {"post": "yes"})
    assert not Canvas.objects.exists()
    ProfileFactory()
    live = go_live(build([message("hello")]))
    assert admin.post(reverse("admin:canvas_canvas_delete", args=[live.pk]), {"post": "yes"}).status_code == 403
