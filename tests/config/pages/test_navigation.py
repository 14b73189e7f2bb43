import pytest
from django.urls import reverse

from config.pages import navigation

pytestmark = pytest.mark.django_db


def titles(answer) -> list[str]:
    return [str(item["title"]) for item in answer.context["sidebar_navigation"][0]["items"]]


def active(answer) -> list[str]:
    return [str(item["title"]) for item in answer.context["sidebar_navigation"][0]["items"] if item["active"]]


def test_the_sidebar_speaks_the_words_of_those_who_work_here(admin):
    assert titles(admin.get("/admin/")) == [
        "Home",
        "Campaigns",
        "Canvas",
        "Calendar",
        "Audience",
        "Segments",
        "Templates",
        "Message Activity Log",
        "Reports",
        "Settings",
    ]


def test_every_page_of_the_sidebar_answers_and_marks_its_area(admin):
    for area in navigation.AREAS:
        for place in area.places:
            answer = admin.get(place.link, follow=True)
            assert answer.status_code == 200, place.link
            assert active(answer) == [str(area.title)], place.link


def test_pages_of_an_area_are_tabs_on_each_other(admin):
    answer = admin.get(reverse("admin:webhooks_catalog_changelist"))
    assert 'id="tabs-items"' in answer.text
    assert reverse("admin:webhooks_contentblock_changelist") in answer.text


def test_nobody_is_led_to_a_page_they_may_not_see(client, editor):
    client.force_login(editor)
    answer = client.get("/admin/")
    assert "Campaigns" in titles(answer)
    for item in answer.context["sidebar_navigation"][0]["items"]:
        assert client.get(item["link"], follow=True).status_code == 200, item["link"]
    links = [link["link"] for tab in answer.context["tab_list"] for link in tab["items"]]
    assert reverse("admin:workspace_credential_changelist") not in links


def test_lists_say_what_they_are_for_while_they_are_empty(admin):
    for area in navigation.AREAS:
        for place in area.places:
            if place.link.endswith(("/campaign/", "/canvas/", "/profile/", "/segment/", "/template/")):
                assert "Nothing here yet" in admin.get(place.link).text


def test_a_search_without_result_offers_everything_again(admin):
    answer = admin.get(reverse("admin:audience_segment_changelist") + "?q=%3Cb%3E")
    assert "Nothing is found for “&lt;b&gt;”" in answer.text
    assert "Show everything" in answer.text
