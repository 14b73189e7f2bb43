"""What stands in the way of a launch, and what is to be read before (Canvas specification, section 18.3)."""

from datetime import time

import pytest

from audience.models import Profile
from canvas import launch
from canvas.models import Canvas, CanvasVersion, StepRevision
from outreach.models import Quiet, Subscribed
from tests.canvas.world import S, build, delay, event, has, message
from tests.conftest import NOON
from tests.factories import ProfileFactory
from webhooks.models import Content

pytestmark = pytest.mark.django_db
GOAL = {"name": "Order", "triggers": [event("order")], "seconds": 86_400}


def problems(canvas: Canvas) -> list[str]:
    return [finding.text for finding in launch.problems(canvas, NOON)]


def warnings(canvas: Canvas) -> list[str]:
    return [finding.text for finding in launch.warnings(canvas, NOON)]


def experiment(*steps: S, **settings) -> S:
    return S("experiment", "which", {"shares": {"1": 100}, "window_days": 3, **settings}, ((1, steps),))


# --- problems


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"quiet_mode": Quiet.OWN}, "Say when the quiet hours begin and end."),
        (
            {"quiet_mode": Quiet.OWN, "quiet_start": time(22), "quiet_end": time(22)},
            "Quiet hours can't begin and end at the same time.",
        ),
        ({"subscribed": Subscribed.GROUP}, "Choose the subscription group."),
        ({"conversions": [{**GOAL, "seconds": 60}]}, "Conversion “Order”: choose a time from 5 minutes to 30 days."),
        (
            {"conversions": [{**GOAL, "seconds": 31 * 86_400}]},
            "Conversion “Order”: choose a time from 5 minutes to 30 days.",
        ),
    ],
)
def test_settings_that_do_not_fit_together_stand_in_the_way(settings, problem):
    ProfileFactory()
    assert problems(build([message("hello")], **settings)) == [problem]
    assert problems(build([message("hello")], conversions=[GOAL])) == []


def test_a_conversion_whose_trigger_is_incomplete_stands_in_the_way():
    ProfileFactory()
    (problem,) = problems(build([message("hello")], conversions=[{**GOAL, "triggers": [event("")]}]))
    assert problem.startswith("Conversion “Order”: ")


def test_what_the_gallery_left_to_fill_in_stands_in_the_way():
    ProfileFactory()
    canvas = build([message("hello")])
    Content.objects.update(raw_body="<CHANNEL_ID>")
    assert problems(canvas) == ["hello: <CHANNEL_ID> is still a placeholder."]


# --- warnings


def test_a_speed_at_which_the_audience_takes_more_than_a_day_is_told():
    Profile.objects.bulk_create(Profile(external_id=f"person-{n}") for n in range(14_400))
    canvas = build([message("hello")])
    canvas.sender.rate_per_minute = 10
    text = "At 10 messages a minute it takes more than a day until everybody has got the first."
    assert text not in warnings(canvas)
    ProfileFactory()
    assert text in warnings(canvas)


def test_an_exit_audience_that_meets_the_audience_is_told():
    ProfileFactory(custom_attributes={"plan": "pro"})
    canvas = build([message("hello")], version={"exit_audience": has("plan", "gone")})
    text = "Some of the audience match the exit criteria already: they leave before the first step."
    assert text not in warnings(canvas)
    CanvasVersion.objects.update(exit_audience=has("plan", "pro"))
    assert text in warnings(canvas)


def test_an_experiment_whose_paths_take_longer_than_it_counts_is_told():
    canvas = build([experiment(message("one"), delay("wait", count=2), message("two"))], conversions=[GOAL])
    text = "“which” counts conversions for a shorter time than its paths can take."
    assert text not in warnings(canvas)
    StepRevision.objects.filter(name="wait").update(settings={"mode": "after", "count": 4, "unit": "days"})
    assert text in warnings(canvas)


def test_what_the_composer_doubts_is_told_at_its_step():
    canvas = build([message("hello")])
    Content.objects.update(url="https://example.com/{{${user_id}}}")
    found = [finding for finding in launch.warnings(canvas, NOON) if "may be missing" in finding.text]
    assert [finding.step for finding in found] == [canvas.steps.get().pk]
    assert found[0].text.startswith("hello: Webhook URL")
    Content.objects.update(url="https://example.com/{{${user_id} | default: 'nobody' | url_param_escape}}")
    assert not any("may be missing" in text for text in warnings(canvas))
