"""Uploading, checking, importing and watching in the admin."""

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from audience.imports import runs, setup
from audience.models import Import, Profile
from tests.factories import AdminFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory())
    return client


def url(name: str, *args: object) -> str:
    return reverse(f"admin:audience_import_{name}", args=args)


def upload(client, data: bytes, **more):
    file = SimpleUploadedFile("people.csv", data)
    return client.post(url("add"), {"file": file, "content": "profiles", **more}, follow=True)


def test_from_upload_to_imported(admin):
    page = upload(admin, b"external_id,zip,<b>\na,01234,5\n").text
    source = Import.objects.get()
    assert (source.name, source.encoding, source.size) == ("people.csv", "utf-8", 30)
    assert "01234" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert not Profile.objects.exists()
    checked = admin.post(url("columns", source.pk), {"encoding": "utf-8", "start": "check"}, follow=True).text
    assert "waiting" in checked
    runs.run_waiting(lambda: False)
    assert "Profiles that would be created" in admin.get(url("progress", source.pk)).text
    assert not Profile.objects.exists()
    admin.post(url("columns", source.pk), {"encoding": "utf-8", "start": "import", "type-2": "text"})
    runs.run_waiting(lambda: False)
    assert Profile.objects.get().custom_attributes == {"zip": "01234", "<b>": "5"}
    page = admin.get(url("change", source.pk)).text
    assert '<td data-count="created">1</td>' in page
    assert "100 %" in page


def test_korean_windows_text_is_offered_for_a_look(admin):
    page = upload(admin, "external_id,이름\na,철수\n".encode("cp949")).text
    assert "looks like CP949" in page
    assert "철수" in page
    source = Import.objects.get()
    page = admin.post(url("columns", source.pk), {"encoding": "utf-8"}).text
    assert "The first row holds bytes that are not utf-8." in page
    assert Import.objects.get().encoding == "cp949"


def test_a_file_that_cannot_be_read_is_refused_on_the_field(admin):
    assert "UTF-16" in upload(admin, "external_id\n".encode("utf-16")).text
    assert not Import.objects.exists()


def test_the_same_file_again_is_pointed_out(admin):
    upload(admin, b"external_id\na\n")
    assert "The same file was uploaded as" in upload(admin, b"external_id\na\n", name="again").text


def test_a_file_without_identifiers_says_so_and_cannot_be_started(admin):
    page = upload(admin, b"plan\npro\n").text
    assert "No column names the profiles" in page
    source = Import.objects.get()
    admin.post(url("columns", source.pk), {"encoding": "utf-8", "start": "import"})
    source.refresh_from_db()
    assert source.status == Import.Status.UPLOADED


def test_report_and_file_are_downloaded_by_those_who_may(admin, client):
    upload(admin, b"external_id,x\n,1\n")
    source = Import.objects.get()
    setup.start(source, is_dry_run=False)
    runs.run_waiting(lambda: False)
    report = b"".join(admin.get(url("download", source.pk, "report")).streaming_content).decode()
    assert "has no external_id" in report
    assert b"".join(admin.get(url("download", source.pk, "file")).streaming_content) == b"external_id,x\n,1\n"
    assert admin.get(url("download", source.pk, "passwords")).status_code == 404
    client.force_login(User.objects.create_user("other", is_staff=True))
    for name, *args in (("download", "report"), ("progress",), ("columns",), ("change",)):
        assert client.get(url(name, source.pk, *args)).status_code == 403


def test_only_who_may_import_starts_and_cancels(client):
    source = Import.objects.create(name="x", file="imports/x.csv", status="failed")
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_import"))
    client.force_login(viewer)
    assert client.post(url("action", source.pk, "go-on")).status_code == 403
    client.force_login(AdminFactory())
    assert client.get(url("action", source.pk, "go-on")).status_code == 403
    client.post(url("action", source.pk, "go-on"))
    assert Import.objects.get().status == Import.Status.WAITING
    client.post(url("action", source.pk, "cancel"))
    assert Import.objects.get().status == Import.Status.CANCELLED
