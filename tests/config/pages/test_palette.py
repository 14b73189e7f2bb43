import pytest
from django.core.cache import cache

from canvas import setup
from tests.factories import CampaignFactory, ProfileFactory, SegmentFactory, TeamFactory, TemplateFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered():
    cache.clear()


def found(client, text: str) -> set[tuple[str, str]]:
    answer = client.get("/admin/search/", {"s": text, "extended": 1})
    return {(result.title, result.description) for result in (answer.context or {}).get("results", [])}


def test_everything_is_found_by_its_name(admin):
    CampaignFactory(name="Spring offer")
    setup.create("Spring journey", None)
    SegmentFactory(name="spring buyers")
    TemplateFactory(name="SPRING mail")
    assert found(admin, "spring") >= {
        ("Spring offer", "Campaign"),
        ("Spring journey", "Canvas"),
        ("spring buyers", "Segment"),
        ("SPRING mail", "Template"),
    }


def test_people_are_found_by_what_names_them(admin):
    ProfileFactory(external_id="Customer-7", email="ada@example.com")
    assert ("Customer-7", "Profile") in found(admin, "Customer-7")
    assert ("Customer-7", "Profile") in found(admin, "ADA@example.com")


def test_pages_are_found_too(admin):
    assert ("Suppression lists", "Audience") in found(admin, "suppress")


def test_it_finds_nothing_that_the_user_may_not_see(client, editor):
    CampaignFactory(name="Hats").teams.add(TeamFactory())
    client.force_login(editor)
    assert ("Hats", "Campaign") not in found(client, "hats")
