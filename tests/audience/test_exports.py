"""Segments as CSV, from the admin and the command, and who of them somebody is."""

import csv
import io
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.urls import reverse

from audience import exports, spreadsheet
from audience.models import Attribute, Profile
from tests.factories import AdminFactory, ProfileFactory, SegmentFactory

pytestmark = pytest.mark.django_db
KOREAN = {"filter": "country", "op": "any_of", "values": ["KR"]}


def read(text: str) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+8210", "+8210"),
        ("-5.5", "-5.5"),
        ("-5+cmd|x", "'-5+cmd|x"),
        ("-", "'-"),
        ("\t=1", "'\t=1"),
        ("plain", "plain"),
        (-3, "-3"),
        (None, ""),
        (True, "true"),
        ([1, "=x"], '[1, "=x"]'),
        ({"ä": 1}, '{"ä": 1}'),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_no_cell_is_a_formula(value, cell):
    assert spreadsheet.cell(value) == cell


def test_a_segment_is_exported_with_all_attributes(monkeypatch):
    monkeypatch.setattr(exports, "CHUNK", 2)
    for name in ("plan", "=evil", "email"):
        Attribute.objects.create(name=name, type="text")
    Attribute.objects.create(name="blocked", type="text", is_blocked=True)
    values = {"plan": '=cmd|"x"', "=evil": 1, "email": "other", "blocked": 1}
    for n in range(5):
        ProfileFactory(external_id=f"c{n}", email=f"{n}@example.com", custom_attributes=values)
    rows = read("".join(exports.lines(Profile.objects.all(), exports.known_attributes())))
    assert [row["external_id"] for row in rows] == [f"c{n}" for n in range(5)]
    first = rows[0]
    assert (first["plan"], first["'=evil"], first["custom.email"]) == ('\'=cmd|"x"', "1", "other")
    assert first["email"] == "0@example.com"
    assert "blocked" not in first


def test_the_admin_streams_it_and_notes_it(client):
    ProfileFactory(external_id="kim", country="KR")
    ProfileFactory(external_id="lee", country="US")
    segment = SegmentFactory(name='Korea "/\\ 한국', filters=KOREAN)
    client.force_login(AdminFactory())
    answer = client.get(reverse("admin:audience_segment_export", args=[segment.pk]))
    rows = read(b"".join(answer.streaming_content).decode())
    assert [row["external_id"] for row in rows] == ["kim"]
    assert LogEntry.objects.get().change_message == "Exported as CSV."
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_segment"))
    client.force_login(viewer)
    for name in ("export", "lookup"):
        assert client.get(reverse(f"admin:audience_segment_{name}", args=[segment.pk])).status_code == 403


def test_the_command_writes_a_file_and_no_other_one(tmp_path, capsys):
    ProfileFactory(external_id="kim", country="KR", custom_attributes={"plan": "pro", "x": 1})
    SegmentFactory(name="Korea", filters=KOREAN)
    path = tmp_path / "korea.csv"
    call_command("export_segment", "Korea", "--output", str(path), "--columns", "plan")
    assert read(path.read_text(encoding="utf-8"))[0]["plan"] == "pro"
    assert "1 profiles written" in capsys.readouterr().out
    with pytest.raises(CommandError, match="is there already"):
        call_command("export_segment", "Korea", "--output", str(path))
    call_command("export_segment", "Korea")
    assert read(capsys.readouterr().out)[0]["external_id"] == "kim"


def test_the_command_names_what_is_wrong():
    with pytest.raises(CommandError, match="There is no segment “Nowhere”"):
        call_command("export_segment", "Nowhere")
    broken = SegmentFactory(filters={"filter": "gone"})
    with pytest.raises(CommandError, match="There is no filter “gone”"):
        call_command("export_segment", str(broken.pk))


def test_a_look_up_says_which_filters_somebody_meets(client):
    client.force_login(AdminFactory())
    ProfileFactory(external_id="kim", country="KR", custom_attributes={"plan": "<b>free"})
    plan = {"filter": "custom_attribute", "name": "plan", "type": "text", "op": "any_of", "values": ["pro"]}
    segment = SegmentFactory(filters={"all": [KOREAN, plan]})
    url = reverse("admin:audience_segment_lookup", args=[segment.pk])
    page = client.get(url, {"who": "kim"}).text
    assert "is not in this segment." in page
    assert page.count("hl-good") == 1
    assert "plan is pro" in page
    assert "&lt;b&gt;free" in page
    assert "Nobody is called" in client.get(url, {"who": "<x>"}).text
