import pytest
from django.urls import reverse

from tests.factories import AdminFactory, SegmentFactory
from workspace.models import SavedView

pytestmark = pytest.mark.django_db
LIST = "/admin/audience/segment/"


def test_a_view_is_saved_under_a_name_and_opened_again(admin):
    SegmentFactory(name="Pro")
    assert "Save this view" in admin.get(f"{LIST}?q=pro&p=1").text
    answer = admin.post(reverse("saved_views"), {"path": LIST, "query": "q=pro&p=1", "name": "Paying 🌷"}, follow=True)
    assert answer.redirect_chain[0][0] == f"{LIST}?q=pro"
    assert f'href="{LIST}?q=pro" aria-current="page"' in answer.text
    assert "Paying 🌷" in admin.get(LIST).text


def test_a_view_is_of_the_person_who_saved_it(admin, client):
    view = SavedView.objects.create(user=AdminFactory(), path=LIST, query="q=pro", name="Theirs")
    assert "Theirs" not in admin.get(LIST).text
    admin.post(reverse("saved_views"), {"path": LIST, "delete": view.pk})
    assert SavedView.objects.exists()


def test_a_view_is_deleted(admin):
    admin.post(reverse("saved_views"), {"path": LIST, "query": "q=pro", "name": "Paying"})
    admin.post(reverse("saved_views"), {"path": LIST, "delete": SavedView.objects.get().pk})
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "", "javascript:alert(1)", "/" * 300])
def test_it_leads_nowhere_else(admin, path):
    assert admin.post(reverse("saved_views"), {"path": path, "query": "q=x", "name": "x"}).status_code == 403
