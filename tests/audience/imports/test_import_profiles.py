import pytest
from django.core.management import CommandError, call_command

from audience.models import Profile

pytestmark = pytest.mark.django_db


def load(tmp_path, text: str, *options: str) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(text.encode("utf-8"))
    call_command("import_profiles", str(path), *options)


def test_rows_become_profiles_with_typed_custom_attributes(tmp_path):
    load(tmp_path, "\ufeffexternal_id,first_name,points,zip,vip\na,Zoë,12,01234,true\nb,,1.5,,\n")
    first, second = Profile.objects.order_by("external_id")
    assert (first.first_name, first.custom_attributes) == ("Zoë", {"points": 12, "zip": "01234", "vip": True})
    assert second.custom_attributes == {"points": 1.5}


def test_a_blank_cell_changes_nothing(tmp_path):
    load(tmp_path, "external_id,first_name\na,Ada\n")
    load(tmp_path, "external_id,first_name\na,\n")
    assert Profile.objects.get().first_name == "Ada"


def test_a_missing_column_stops_before_anything_is_stored(tmp_path):
    with pytest.raises(CommandError, match="No column names the profiles"):
        load(tmp_path, "plan;email\npro;a@example.com\n")
    assert not Profile.objects.exists()


def test_bad_rows_are_named_and_the_others_go_in(tmp_path, capsys):
    with pytest.raises(CommandError, match="2 rows were left out"):
        load(tmp_path, "external_id,first_name\na,Ada\nb\n,Nobody\nc,Cy\n")
    assert set(Profile.objects.values_list("external_id", flat=True)) == {"a", "c"}
    errors = capsys.readouterr().err
    assert "line 3: has 1 cells; the header has 2" in errors
    assert "line 4: has no external_id" in errors


def test_a_dry_run_stores_nothing(tmp_path):
    load(tmp_path, "external_id\na\n", "--dry-run")
    assert not Profile.objects.exists()
