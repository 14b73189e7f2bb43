"""Korean is as complete as English, and what is compiled is what was written."""

import contextlib
import gettext
import re
from io import StringIO

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, label_for_field
from django.core.management import CommandError, call_command
from django.utils import translation

from config.languages import catalog
from config.pages import navigation
from outreach.models import Status
from tests.factories import AdminFactory, CampaignFactory

HANGUL = re.compile("[가-힣]")


def test_every_text_has_a_translation_with_its_placeholders():
    assert catalog.missing("ko") == []


def test_what_is_compiled_is_what_was_written():
    with catalog.path_of("ko").with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in catalog.read("ko"):
        if message.context:
            assert compiled.pgettext(message.context, message.id) == message.string
        elif message.id and isinstance(message.id, str):
            assert compiled.gettext(message.id) == message.string
        elif message.id:
            assert compiled.ngettext(*message.id, 2) == message.string[0]


def test_blanks_at_the_ends_are_kept_as_sentences_are_put_together():
    for message in catalog.read("ko"):
        if message.id and isinstance(message.id, str):
            ends = [(text[:1].isspace(), text[-1:].isspace()) for text in (message.id, message.string)]
            assert ends[0] == ends[1], message.id


def test_the_words_are_those_of_the_field():
    with translation.override("ko"):
        for text, word in (
            ("Campaigns", "캠페인"),
            ("Canvas", "캔버스"),
            ("Webhook", "웹훅"),
            ("Variants", "변형"),
            ("Segments", "세그먼트"),
            ("Conversions", "전환"),
            ("Message Activity Log", "메시지 활동 로그"),
        ):
            assert translation.gettext(text) == word


def test_a_text_without_a_translation_is_named(tmp_path, settings, monkeypatch):
    kept = catalog.path_of("ko").read_text()
    other = tmp_path / "django.po"
    other.write_text(kept.replace('msgstr "캠페인 비교"', 'msgstr ""'))
    monkeypatch.setattr(catalog, "path_of", lambda language: other)
    said = StringIO()
    with pytest.raises(CommandError, match="1 texts have no ko translation"):
        call_command("translations", "--check", stdout=said)
    assert said.getvalue() == "'Compare campaigns'\n"


@pytest.mark.django_db
def test_the_pages_speak_korean(client):
    client.force_login(AdminFactory())
    CampaignFactory(name="Spring", status=Status.ACTIVE)
    for area in navigation.AREAS:
        for place in area.places:
            page = client.get(place.link, headers={"Accept-Language": "ko"}, follow=True)
            assert 'lang="ko"' in page.text
            with translation.override("ko"):
                assert str(area.title) in page.text
                assert HANGUL.search(str(area.title))


@pytest.mark.django_db
def test_a_language_can_be_chosen(client):
    client.force_login(AdminFactory())
    assert "Coming up" in client.get("/admin/").text
    client.post("/i18n/setlang/", {"language": "ko", "next": "/admin/"})
    assert "다가오는 일정" in client.get("/admin/").text


STAY = {"ID", "id", "API", "URL", "HTTP", "DELETE", "JSON", "ms"}  # as Korean marketers write them, too


@pytest.mark.django_db
def test_no_list_and_no_form_has_an_english_name_for_a_column(rf):
    request = rf.get("/admin/")
    request.user = AdminFactory()
    english = set()
    with translation.override("ko"):
        for model, site in admin.site._registry.items():
            if model.__module__.partition(".")[0] not in catalog.APPS:
                continue  # django-axes speaks no Korean
            labels = {str(model._meta.verbose_name), str(model._meta.verbose_name_plural)}
            columns = [*site.get_list_display(request), *flatten_fieldsets(site.get_fieldsets(request))]
            for name in columns:
                with contextlib.suppress(AttributeError):  # a field of the form alone has its label there
                    labels.add(str(label_for_field(name, model, site)))
            english |= {(model.__name__, label) for label in labels if {*re.findall(r"[A-Za-z]{2,}", label)} - STAY}
    assert english == set()
