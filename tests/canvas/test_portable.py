"""Canvases as files: every preset and every kind of step comes back as it was."""

import json
from datetime import timedelta

import pytest

from canvas import editing, launch, portable, presets, publishing, starters
from canvas.models import Canvas, Kind, Path, StepContent, StepRevision
from canvas.portable import KIND
from outreach.models import Status, Variant
from tests.canvas import world
from tests.canvas.world import build, event, has
from tests.conftest import NOON
from tests.factories import CampaignFactory, SegmentFactory
from webhooks.models import Content
from workspace import files, secrets
from workspace.models import Credential

pytestmark = pytest.mark.django_db
SEGMENT_GONE = {"filter": "segment", "op": "in", "segments": []}


def exported(canvas: Canvas) -> bytes:
    return files.write([KIND.document(canvas)])


def imported(data: bytes) -> files.Made:
    [made] = files.make(files.read(data))
    return made


def every_kind() -> Canvas:
    """Each kind of step with everything it can be told."""
    segment, other = SegmentFactory(name="VIP"), CampaignFactory(name="Before")
    audience = {**has("plan", "pro"), "segments": [segment.pk]}
    audience["context"] = [{"name": "n", "type": "number", "op": "between", "low": 1, "high": 2}]
    received = {"kind": "received", "name": str(other.pk)}
    personal = {
        "mode": "personal",
        "source": "attribute",
        "name": "renews",
        "as": "date",
        "offset": -2,
        "offset_unit": "days",
        "on_failure": "default",
        "default": {"count": 3, "unit": "days"},
        "at": "09:00",
    }
    message = world.message(
        "tell",
        webhooks=2,
        schedule={"mode": "weekday", "weekday": "1", "at": "10:00", "zone": "local", "if_passed": "same_day"},
        audience=audience,
        exceptions=[event("paid"), received],
        unmatched="skip",
        advance="sent",
        ignores_quiet=True,
    )
    changes = [{"attribute": "n", "action": "increase", "value": "1"}]
    variables = [{"name": "x", "type": "number", "template": "{{context.${y}}}"}]
    last = [
        world.S(Kind.USER_UPDATE, "note", {"mode": "form", "changes": changes, "on_failure": "exit"}),
        world.S(Kind.CONTEXT, "keep", {"variables": variables}),
        world.S(Kind.EXIT, "end", {"label": "done"}),
    ]
    shares = {"shares": {"1": 40, "2": 40, "0": 10}, "window_days": 7, "control": "exit", "held": 10}
    experiment = world.S(
        Kind.EXPERIMENT_PATHS,
        "draw",
        {**shares, "winner_count": 2, "winner_unit": "days", "unclear": "mix"},
        ((1, last), (2, ["end"]), (0, [])),
    )
    steps = [
        message,
        world.S(Kind.DELAY, "renewal", {**personal, "holds_at_end": True}),
        world.audience_paths(
            "who",
            (audience, [world.delay("until", mode="date", date="2030-01-01", at="08:00")]),
            rest=[world.action_paths("does", ([event("bought"), received], [experiment]), ranked=True)],
        ),
    ]
    return build(
        [world.split("pro?", audience, yes=steps)],
        name="Everything",
        version={"exit_events": [event("left"), received], "exit_audience": audience, "exits_at_once": False},
        entry="action",
        triggers=[event("came")],
        conversions=[{"name": "Paid", "triggers": [event("paid")], "seconds": 3_600}],
        reentry="after",
        reentry_seconds=60,
        entry_limit=5,
        entry_cadence="day",
    )


@pytest.mark.parametrize("key", starters.READY)
def test_every_preset_comes_back_as_it_was(key):
    canvas = presets.make(key, str(starters.READY[key].name))
    first = exported(canvas)
    assert exported(imported(first).row) == first
    assert [finding.text for finding in launch.problems(imported(first).row, NOON)] == [
        finding.text for finding in launch.problems(canvas, NOON)
    ]


def test_every_kind_of_step_comes_back_as_it_was():
    canvas = every_kind()
    first = exported(canvas)
    made = imported(first)
    assert exported(made.row) == first
    assert {*made.row.steps.values_list("kind", flat=True)} == {*Kind.values}
    assert (made.row.status, [*made.facts]) == (Status.DRAFT, ["Action-based", "1 variant", "10 steps"])
    kept = StepRevision.objects.get(version__canvas=made.row, name="tell").settings
    assert kept == StepRevision.objects.get(version__canvas=canvas, name="tell").settings


@pytest.mark.parametrize("kind", Kind)
def test_a_new_step_of_any_kind_can_be_taken_along(kind):
    canvas = build([world.message()])
    draft = publishing.draft_of(canvas)
    editing.add_step(draft, kind, Path.objects.get(version=draft, variant__isnull=False))
    first = exported(canvas)
    assert exported(imported(first).row) == first


def test_variants_schedules_and_controls_come_along():
    canvas = build(
        [world.message()],
        start_at=NOON + timedelta(days=1),
        end_at=NOON + timedelta(days=9),
        recurrence="weekly",
        weekdays=[0, 4],
        zone="Asia/Seoul",
        quiet_mode="none",
        obeys_caps=False,
        optimisation="selection",
    )
    Variant.objects.create(outreach=canvas, name="Control", is_control=True, share=10)
    first = exported(canvas)
    made = imported(first).row
    assert exported(made) == first
    assert (made.weekdays, made.zone, made.end_at) == ([0, 4], "Asia/Seoul", canvas.end_at)
    assert [(arm.name, arm.share) for arm in made.variants.all()] == [("Control", 10), ("Variant 1", 100)]


def test_the_draft_being_edited_is_what_is_exported():
    canvas = build([world.message()])
    publishing.publish(canvas, NOON)
    draft = publishing.draft_of(canvas)
    editing.change(draft.revisions.get(), name="new words")
    assert json.loads(exported(canvas))["steps"][0]["name"] == "new words"


def test_what_is_not_here_is_listed_and_asks_to_be_filled_in():
    data = exported(every_kind())
    for row in (SegmentFactory._meta.model.objects.get(), CampaignFactory._meta.model.objects.get()):
        row.name = "renamed"
        row.save()
    made = imported(data)
    assert {*made.lacking} >= {"segment “VIP”: not here", "campaign or Canvas “Before”: not here"}
    settings = StepRevision.objects.get(version__canvas=made.row, name="tell").settings
    assert settings["audience"]["filters"]["all"][0] == SEGMENT_GONE
    assert [each["kind"] for each in settings["exceptions"]] == ["event"]
    problems = [finding.text for finding in launch.problems(made.row, NOON)]
    assert "tell: Fill in “segments”." in problems
    assert "Exit criteria: Fill in “segments”." in problems


def test_secrets_stay_behind_and_block_the_launch():
    canvas = build([world.message()], url="https://hooks.zapier.com/hooks/catch/1/abcdef/")
    content = StepContent.objects.get(revision__version__canvas=canvas).content
    content.headers = [{"name": "X-Sealed", "value": secrets.seal("s3cret"), "is_secret": True}]
    content.save()
    data = exported(canvas)
    assert "abcdef" not in data.decode()
    assert content.headers[0]["value"] not in data.decode()
    problems = " ".join(finding.text for finding in launch.problems(imported(data).row, NOON))
    assert "<SECRET> is still a placeholder" in problems
    assert "The secret value of the header X-Sealed is missing." in problems


def test_a_template_of_a_canvas_with_a_client_certificate_can_be_kept():
    canvas = build([world.message()])
    certificate = Credential.objects.create(name="bank", kind="cert", sealed_value=secrets.seal("PEM"))
    Content.objects.filter(step_revisions__version__canvas=canvas).update(client_certificate=certificate)
    kept = presets.save(canvas, "with a certificate")
    made = portable.make(kept.document, "made of it")
    assert Content.objects.get(step_revisions__version__canvas=made).client_certificate == certificate


def broken(change) -> bytes:
    data = json.loads(exported(every_kind()))
    change(data, {step["name"]: step for step in data["steps"]})
    return json.dumps(data).encode()


def _loop(data, steps):
    steps["keep"]["paths"] = [{"key": 0, "to": steps["note"]["key"]}]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda data, steps: data.pop("steps"), "steps: It is missing."),
        (lambda data, steps: data.update(variants=[]), "variants: It has fewer than 1 entries."),
        (lambda data, steps: data["variants"][0].update(first="99"), r"variants\[0\].first: There is no step “99”."),
        (lambda data, steps: steps["tell"].update(kind="pigeon"), r"steps\[\d+\].kind: It must be 'message'"),
        (lambda data, steps: steps["tell"].update(key="1"), "steps: Two steps have the same key."),
        (lambda data, steps: steps["tell"]["paths"][0].update(to="x"), r"steps\[\d+\].paths\[0\].to: There is no step"),
        (lambda data, steps: steps["tell"].update(paths=[{"key": 3}]), r"steps\[\d+\].paths: A step of this kind"),
        (lambda data, steps: steps["pro?"].update(paths=[]), r"steps\[\d+\].paths: A decision split has"),
        (lambda data, steps: steps["who"]["paths"].reverse(), r"steps\[\d+\].paths: The last path is"),
        (lambda data, steps: steps["end"].update(paths=[{"key": 0}]), r"steps\[\d+\].paths: An exit leads nowhere."),
        (lambda data, steps: steps["end"].update(settings={"x": 1}), r"steps\[\d+\].settings.x: There is no such"),
        (lambda data, steps: steps["end"].update(webhooks=[{}]), r"steps\[\d+\].webhooks: Only message steps"),
        (lambda data, steps: steps["end"].update(settings=[]), r"steps\[\d+\].settings: It must be an object."),
        (
            lambda data, steps: steps["until"]["settings"].update(date="31.3."),
            r"steps\[\d+\].settings.date: “31.3.” can't be read.",
        ),
        (
            lambda data, steps: steps["draw"]["settings"].update(shares={"1": "x"}),
            r"steps\[\d+\].settings.shares.1: It must be a whole number.",
        ),
        (
            lambda data, steps: steps["does"]["settings"]["groups"]["1"].update(triggers=[{"kind": "x"}]),
            r"steps\[\d+\].settings.groups.1.triggers\[0\].kind: It must be",
        ),
        (
            lambda data, steps: steps["who"]["settings"]["groups"]["1"]["audience"].update(filters={"filter": "x"}),
            r"steps\[\d+\].settings.groups.1.audience.filters.filter: There is no filter “x”.",
        ),
        (lambda data, steps: data["exits"].update(exit_events=[{"kind": "event"}]), r"exits.exit_events\[0\]: Name"),
        (lambda data, steps: data["settings"].update(held_since=None), "settings.held_since: There is no such field."),
        (
            lambda data, steps: data["settings"]["conversions"][0].update(seconds=1),
            r"settings.conversions\[0\].seconds: It must be 300 at least.",
        ),
        (_loop, "steps: Steps can't lead back to an earlier step"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_nothing_is_made(change, problem):
    data = broken(change)
    with pytest.raises(files.BadFile, match=f"^{problem}"):
        imported(data)
    assert Canvas.objects.count() == 1
