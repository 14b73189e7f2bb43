"""export_outreach and import_outreach, as a CI job uses them."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from audience.models import Segment
from campaigns.models import Campaign
from canvas import presets
from canvas.models import Canvas
from outreach import lifecycle
from tests.conftest import NOON
from tests.factories import CampaignFactory, SegmentFactory

pytestmark = pytest.mark.django_db


def run(name: str, *args: object, **options: object) -> tuple[int, str]:
    """Exit status and what was printed."""
    out = io.StringIO()
    try:
        call_command(name, *map(str, args), stdout=out, **options)
    except SystemExit as left:
        return int(left.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def folder(tmp_path):
    """Three files, of things that are not here any more."""
    campaign = CampaignFactory(name="Spring offer", to_everyone=False)
    campaign.segments.add(SegmentFactory(name="VIP"))
    presets.make("onboarding", "Onboarding")
    lifecycle.archive(CampaignFactory(name="Long gone"), NOON)
    status, said = run("export_outreach", all=True, to=tmp_path)
    assert (status, said) == (0, f"3 files written to {tmp_path}.\n")
    for model in (Campaign, Canvas, Segment):
        model.objects.all().delete()
    return tmp_path


def test_everything_goes_into_a_folder_and_comes_back(folder):
    paths = sorted(folder.iterdir())
    assert [path.name for path in paths] == ["campaign-spring-offer.json", "canvas-onboarding.json", "segment-vip.json"]
    before = [path.read_bytes() for path in paths]
    status, said = run("import_outreach", *paths, json=True)
    outcome = json.loads(said)
    assert [(row["kind"], row["name"], row["was_here"]) for row in outcome["documents"]] == [
        ("segment", "VIP", False),
        ("campaign", "Spring offer", False),
        ("canvas", "Onboarding", False),
    ]
    assert Campaign.objects.get(pk=outcome["documents"][1]["id"]).segments.get().name == "VIP"
    assert status == 2  # the preset's events were never seen here
    run("export_outreach", all=True, to=folder)
    assert [path.read_bytes() for path in paths] == before


def test_a_dry_run_says_what_would_be_made_and_makes_nothing(folder):
    status, said = run("import_outreach", folder / "campaign-spring-offer.json", dry_run=True)
    assert status == 2
    assert said.splitlines() == [
        "campaign “Spring offer” would be made: Scheduled, 1 variant, 1 webhook",
        "  look after: segment “VIP”: not here",
    ]
    assert not Campaign.objects.exists()


def test_of_several_files_one_bad_one_keeps_all_out(folder):
    (folder / "bad.json").write_text('{"hookline": 1, "kind": "campaign", "name": ""}')
    out = io.StringIO()
    paths = [str(folder / name) for name in ("segment-vip.json", "bad.json")]
    with pytest.raises(CommandError, match=r"bad.json: name: It is empty.") as caught:
        call_command("import_outreach", *paths, json=True, stdout=out)
    assert caught.value.returncode == 1
    assert json.loads(out.getvalue())["problems"] == [f"{folder}/bad.json: name: It is empty."]
    assert not Segment.objects.exists()


def test_what_only_making_it_shows_is_told_with_its_file(folder):
    SegmentFactory(name="VIP", filters={})
    with pytest.raises(CommandError, match=r"segment-vip.json: name: There is another segment"):
        run("import_outreach", folder / "segment-vip.json")


def test_one_by_name_goes_to_standard_output():
    CampaignFactory(name="Spring offer")
    status, said = run("export_outreach", "campaign", "Spring offer")
    assert (status, json.loads(said)["name"]) == (0, "Spring offer")


@pytest.mark.parametrize(
    ("args", "options", "problem"),
    [
        (("campaign", "Autumn"), {}, "There is no campaign “Autumn”"),
        (("campaign",), {}, "Say what"),
        ((), {"all": True}, "Name a folder"),
        (("campaign", "Twice"), {}, "Several are called “Twice”"),
    ],
)
def test_what_is_not_clear_is_asked_for(args, options, problem):
    CampaignFactory.create_batch(2, name="Twice")
    with pytest.raises(CommandError, match=problem):
        run("export_outreach", *args, **options)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"none.json: No such file"):
        run("import_outreach", tmp_path / "none.json")


def test_names_that_look_alike_get_files_of_their_own(tmp_path):
    for name in ("A b", "A/B", "../../etc", "봄 할인"):
        CampaignFactory(name=name)
    run("export_outreach", "campaign", all=True, to=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "campaign-a-b.json",
        "campaign-ab.json",
        "campaign-etc.json",
        "campaign-봄-할인.json",
    }
