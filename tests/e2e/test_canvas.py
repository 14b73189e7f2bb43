"""A Canvas built, changed after launch and tried out, with mouse and keyboard."""

import pytest
from playwright.sync_api import expect

from canvas import graph as graphs
from canvas import publishing
from canvas.models import Canvas, CanvasVersion, Journey
from tests.canvas.world import (
    action_paths,
    build,
    delay,
    event,
    go_live,
    has,
    let_in,
    message,
    run,
    split,
    step_named,
)
from tests.conftest import NOON
from tests.e2e.conftest import shoot
from tests.factories import ProfileFactory

pytestmark = pytest.mark.browser


def names(canvas: Canvas) -> list[str]:
    graph = graphs.read(publishing.shown(canvas))
    return [graph.nodes[step].name for step in graph.order]


def test_a_canvas_from_a_template_is_set_up_and_launched(page, sink):
    ProfileFactory()
    page.goto("/admin/canvas/canvas/add/")
    page.fill("[name=name]", "Carts")
    page.get_by_label("Abandoned cart").check()
    shoot(page, "canvas-new")
    page.click("button:has-text('Make the Canvas')")
    expect(page.locator(".hl-step")).to_have_count(4)
    expect(page.locator("body")).to_contain_text("2 problems before it can go live")
    shoot(page, "canvas-map-draft")
    canvas = Canvas.objects.get()

    for name in ("Reminder", "Offer"):
        page.goto(f"/admin/canvas/canvas/{canvas.pk}/flow/")
        page.locator(".hl-step-name a", has_text=name).click()
        expect(page.locator(".hl-problem").first).to_contain_text("Enter the address")
        page.fill("[name=url]", f"{sink.url}/cart")
        page.click("button:has-text('Preview')")
        expect(page.locator("#hl-preview")).to_contain_text('"user": "customer-')
        if name == "Reminder":
            page.get_by_label("for a while").check()
            expect(page.locator("[name=schedule-count]")).to_be_visible()
            page.get_by_label("not at all: at once").check()
            expect(page.locator("[name=schedule-count]")).to_be_hidden()
            shoot(page, "canvas-step-message")
            page.click("button:has-text('Send test')")
            expect(page.locator("#hl-test-dialog")).to_contain_text("200 OK")
            page.locator("#hl-test-dialog button", has_text="Close").click()
        page.click("button:has-text('Save and go to the map')")
    expect(page.locator("body")).not_to_contain_text("before it can go live")

    page.locator(".hl-tabs a", has_text="Launch").click()
    expect(page.locator("body")).to_contain_text("Ready to launch.")
    shoot(page, "canvas-launch")
    page.click("#content-main button:has-text('Launch')")
    expect(page.locator(".hl-state")).to_have_text("active")
    expect(page.locator(".hl-step").first.locator("[data-number=entered]")).to_contain_text("0")
    shoot(page, "canvas-map-live")


def test_steps_are_inserted_moved_undone_and_the_map_zoomed(page):
    canvas = build(
        [message("hello"), delay("wait"), split("plan?", has("plan", "pro"), [message("pro")], [message("free")])]
    )
    page.goto(f"/admin/canvas/canvas/{canvas.pk}/flow/")
    page.get_by_role("link", name="Add a step after “plan?”, on the path “path 2”").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="User update").click()
    expect(page.locator("body")).to_contain_text("“User update” was added.")
    page.locator("[name=update-changes-0-attribute]").fill("visits")
    page.locator("[name=update-changes-0-action]").select_option("increase")
    page.locator("[name=update-changes-0-value]").fill("1")
    page.click("button:has-text('Save and go to the map')")
    expect(page.locator(".hl-step")).to_have_count(6)
    shoot(page, "canvas-map-branches")

    hello, wait = (step_named(canvas, name) for name in ("hello", "wait"))
    page.drag_and_drop(f"#step-{hello}", f"[data-drop='step-{wait}-0'] circle")
    expect(page.locator("button:has-text('Undo')")).to_contain_text("Moved “hello”")
    assert names(canvas)[:2] == ["wait", "hello"]
    page.click("button:has-text('Undo')")
    expect(page.locator("body")).to_contain_text("Undone: Moved “hello”")
    assert names(canvas)[:2] == ["hello", "wait"]

    width = page.locator(".hl-map svg").get_attribute("width")
    page.get_by_role("button", name="Zoom in").click()
    assert int(page.locator(".hl-map svg").get_attribute("width")) > int(width)
    page.locator(f"#step-{wait} .hl-menu-link").click()
    shoot(page, "canvas-step-menu")
    page.click("button:has-text('Delete the step')")
    expect(page.locator("body")).to_contain_text("Undo brings it back")
    assert "wait" not in names(canvas)


def test_a_step_is_edited_after_launch_and_published(page):
    people = ProfileFactory.create_batch(3)
    canvas = go_live(
        build(
            [message("hello"), delay("wait", count=3), action_paths("buys?", ([event("order")], [message("thanks")]))]
        )
    )
    let_in(canvas, *people)
    run(NOON)
    page.goto(f"/admin/canvas/canvas/{canvas.pk}/flow/")
    expect(page.locator(f"#step-{step_named(canvas, 'wait')} [data-number=waiting]")).to_contain_text("3")
    page.locator(".hl-step-name a", has_text="wait").click()
    expect(page.locator("[data-count=waiting]")).to_have_text("3")
    page.fill("[name=delay-count]", "1")
    page.fill("[name=step-name]", "a day")
    shoot(page, "canvas-step-delay")
    page.click("button:has-text('Save and go to the map')")
    expect(page.locator("body")).to_contain_text("You are editing a draft. Version 1 is in force")
    page.click("a:has-text('Review and publish')")
    expect(page.locator("body")).to_contain_text("“a day” was: Wait for 3 days. It is: Wait for 1 day.")
    page.get_by_label("The new time of “a day” is also for the 3 profiles").check()
    page.fill("[name=note]", "Faster")
    shoot(page, "canvas-publish")
    page.click("button:has-text('Publish')")
    expect(page.locator("body")).to_contain_text("Published.")
    page.get_by_role("link", name="Versions", exact=True).click()
    expect(page.locator("body")).to_contain_text("“wait” is now called “a day”.")
    shoot(page, "canvas-versions")
    assert CanvasVersion.objects.get(number=2).note == "Faster"
    assert Journey.objects.filter(wake_at__gt=NOON).count() == 3
    page.goto(f"/admin/canvas/canvas/{canvas.pk}/steps/{step_named(canvas, 'buys?')}/")
    shoot(page, "canvas-step-action")


def test_a_draft_is_tried_out(page):
    ProfileFactory.create_batch(6, custom_attributes={"plan": "pro"})
    buys = action_paths("buys?", ([event("order")], [message("thanks")]), rest=[message("nudge")])
    canvas = build(
        [message("hello"), delay("wait", count=2), split("pro?", has("plan", "pro"), [buys], [message("free")])]
    )
    page.goto(f"/admin/canvas/canvas/{canvas.pk}/try/")
    page.get_by_label("a made-up profile").check()
    page.fill("[name=as_custom]", '{"first_name": "Eve", "plan": "pro"}')
    page.fill("[name=start]", "2026-05-06T12:00")
    page.fill("[name=events-0-name]", "order")
    page.fill("[name=events-0-after]", "49")
    shoot(page, "canvas-try-form")
    page.click("button:has-text('Walk through')")
    way = page.locator("#way")
    expect(way.locator("li[data-stop]")).to_have_count(5)
    expect(way).to_contain_text("waits for 2 days")
    expect(way).to_contain_text("2026-05-08 13:00:00 thanks")
    expect(way.locator("[data-ending]")).to_contain_text("It completes.")
    way.locator("summary").first.click()
    expect(way).to_contain_text('"name":"Eve"')
    shoot(page, "canvas-try")
    page.click("button:has-text('Forecast')")
    expect(page.locator("#forecast")).to_contain_text("6 profiles in the audience")
    shoot(page, "canvas-forecast")
    assert Journey.objects.count() == 0


def test_settings_exits_conversions_variants_results_and_journeys(page):
    # So many that not all of them are drawn for the control group.
    people = ProfileFactory.create_batch(20, custom_attributes={"plan": "pro"})
    canvas = build(
        [message("hello"), delay("wait"), split("pro?", has("plan", "pro"), [message("yes")], [message("no")])]
    )
    base = f"/admin/canvas/canvas/{canvas.pk}"
    page.goto(f"{base}/change/")
    expect(page.locator("[name=triggers-0-kind]")).to_be_hidden()
    page.locator("[name=entry]").select_option("action")
    page.locator("[name=triggers-0-kind]").select_option("event")
    page.fill("[name=triggers-0-name]", "signed_up")
    page.get_by_role("button", name="Add another").first.click()
    page.locator("[name=triggers-1-kind]").select_option("purchase")
    page.locator("[name=reentry]").select_option("after")
    page.fill("[name=reentry_count]", "3")
    shoot(page, "canvas-settings")
    page.click("button[name=_continue]")
    expect(page.locator("[name=triggers-1-kind]")).to_have_value("purchase")

    page.goto(f"{base}/exits/")
    page.locator("[name=events-triggers-0-kind]").select_option("event")
    page.fill("[name=events-triggers-0-name]", "order")
    page.locator("summary", has_text="Only with these properties").first.click()
    page.fill("[name=events-triggers-0-conditions-0-name]", "order_id")
    page.locator("[name=events-triggers-0-conditions-0-test]").select_option("same_as:context")
    page.fill("[name=events-triggers-0-conditions-0-value]", "order_id")
    page.get_by_role("button", name="Add filter").click()
    page.locator("[name='audience-filters[0]name']").fill("plan")
    page.locator("[name='audience-filters[0]name']").press("Tab")
    page.locator("[name='audience-filters[0]values']").fill("gone")
    shoot(page, "canvas-exits")
    page.click("#content-main button:has-text('Save')")
    expect(page.locator("body")).to_contain_text("The exit criteria were saved.")
    draft = CanvasVersion.objects.get(canvas=canvas)
    assert draft.exit_events[0]["conditions"][0]["op"] == "same_as"
    assert draft.exit_audience["filters"]["values"] == ["gone"]

    page.goto(f"{base}/conversions/")
    page.locator("[name=goal-0-triggers-0-kind]").select_option("event")
    page.fill("[name=goal-0-triggers-0-name]", "order")
    page.fill("[name=goal-0-name]", "Order")
    page.click("#content-main button:has-text('Save')")
    page.goto(f"{base}/variants/")
    page.click("button:has-text('Add a control group')")
    expect(page.locator("#content-main")).to_contain_text("control group: gets nothing")
    shoot(page, "canvas-variants")

    canvas.refresh_from_db()
    assert (canvas.entry, canvas.reentry_seconds) == ("action", 3 * 86_400)
    go_live(canvas)
    let_in(canvas, *people)
    run(NOON)
    page.goto(f"{base}/results/")
    expect(page.locator("[data-total=entered]")).to_have_text("20")
    shoot(page, "canvas-results")
    page.goto(f"{base}/journeys/")
    page.locator(".hl-journeys a").first.click()
    expect(page.locator("#content-main")).to_contain_text("Entered at 2026-05-06 12:00:00")
    shoot(page, "canvas-journey")
    page.goto(f"{base}/journeys/?state=waiting")
    page.locator("[name=action]").select_option("end")
    page.click("button:has-text('Do it')")
    shoot(page, "canvas-journeys-confirm")
    page.click("button:has-text('Do it')")
    expect(page.locator("body")).to_contain_text("will be moved within seconds")
    shoot(page, "canvas-journeys")
    page.goto("/admin/canvas/canvas/")
    shoot(page, "canvas-list")


def test_the_map_prints_without_buttons_and_keeps_its_title(page):
    canvas = build([message("hello"), delay("wait"), message("again")], name="Spring")
    page.goto(f"/admin/canvas/canvas/{canvas.pk}/flow/")
    page.emulate_media(media="print")
    expect(page.locator(".hl-title")).to_be_visible()
    expect(page.locator(".hl-plus").first).to_be_hidden()
    expect(page.locator("#nav-sidebar")).to_be_hidden()
    expect(page.get_by_text("Add a step here").first).to_be_hidden()
    shoot(page, "canvas-print")


def test_when_and_how_a_canvas_sends_is_chosen_on_its_settings(page):
    canvas = build([message("hello")])
    page.goto(f"/admin/canvas/canvas/{canvas.pk}/change/")
    expect(page.locator("[name=weekdays]").first).to_be_hidden()
    page.select_option("[name=recurrence]", "weekly")
    page.check("[name=weekdays][value='0']")
    page.fill("[name=start_at_0]", "2027-01-04")
    page.fill("[name=start_at_1]", "09:00")
    page.select_option("[name=quiet_mode]", "own")
    page.fill("[name=quiet_start]", "22:00")
    page.fill("[name=quiet_end]", "08:00")
    shoot(page, "canvas-settings")
    page.click("[name=_continue]")
    canvas.refresh_from_db()
    assert (canvas.recurrence, canvas.weekdays, canvas.quiet_mode) == ("weekly", [0], "own")


@pytest.mark.processes
def test_a_live_test_is_started_watched_to_its_end_and_wiped(page, sink, workers):
    ProfileFactory(external_id="ada", first_name="Ada")
    ProfileFactory(external_id="bob", first_name="Bob")
    buys = action_paths(
        "buys?", ([event("order")], [message("thanks")]), rest=[message("nudge")], count=2, unit="hours"
    )
    canvas = build([message("hello"), delay("wait", unit="hours"), buys], url=f"{sink.url}/hook", name="Spring")
    workers.start("deliver", "canvas", "default")
    page.goto(f"/admin/canvas/canvas/{canvas.pk}/flow/")
    page.get_by_role("link", name="Live test").click()
    page.get_by_label("Test profiles, one a line").fill("ada\nnobody")
    page.click("button:has-text('Start: send real webhooks')")
    expect(page.locator(".hl-problem")).to_have_text("No profile is called “nobody”.")
    page.get_by_label("Test profiles, one a line").fill("ada\nbob")
    shoot(page, "canvas-livetest-start")
    page.click("button:has-text('Start: send real webhooks')")
    expect(page.locator("[data-story]")).to_have_count(2)
    expect(page.locator("[data-story]").first).to_contain_text("200 OK")
    shoot(page, "canvas-livetest-running")
    expect(page.locator("[data-test=over]")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-story]").first).to_contain_text("nudge")
    shoot(page, "canvas-livetest-over")
    assert [request.json()["step"] for request in sink.received].count("nudge") == 2
    page.click("button:has-text('Wipe it')")
    expect(page.locator("body")).to_contain_text("The test is gone, with all its numbers.")
    assert not Journey.objects.exists()
