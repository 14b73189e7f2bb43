"""Imports run in chunks, go on after whatever stopped them, and take each row once."""

import csv
import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import timezone

from audience import filters
from audience.imports import runs, setup
from audience.models import (
    Attribute,
    CustomEvent,
    EventSummary,
    Import,
    ImportedProfile,
    PendingEvent,
    Profile,
    Segment,
    SubscriptionGroup,
    SubscriptionState,
)
from tests.conftest import test_database_url, wait_until
from tests.factories import ProfileFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


def uploaded(text: str | bytes, **options) -> Import:
    source = Import(name="people.csv", **options)
    source.file.save("people.csv", ContentFile(text.encode() if isinstance(text, str) else text), save=False)
    setup.examine(source)
    source.save()
    return source


def finished(source: Import, *, is_dry_run: bool = False) -> Import:
    setup.start(source, is_dry_run=is_dry_run)
    runs.run_waiting(lambda: False)
    source.refresh_from_db()
    return source


def report(source: Import) -> list[list[str]]:
    with open(source.report.path, encoding="utf-8-sig", newline="") as file:
        return [*csv.reader(file)][1:]


def test_profiles_are_created_updated_and_left_out_and_each_is_counted():
    ProfileFactory(external_id="b")
    source = finished(uploaded("external_id,first_name,points\na,Ada,1\nb,Ben,2\n,Cy,3\na,Eve,4\nd,Dan\n"))
    assert source.status == Import.Status.PARTIAL
    assert (source.row_count, source.created_count, source.updated_count, source.skipped_count) == (5, 1, 2, 2)
    assert Profile.objects.get(external_id="a").first_name == "Eve"  # the last row wins
    assert report(source) == [
        ["4", "error", "has no external_id", "", "Cy", "3"],
        ["6", "error", "has 2 cells; the header has 3", "d", "Dan"],
    ]
    assert ImportedProfile.objects.filter(source=source).count() == 2
    imported = {"filter": "imported", "op": "in", "ids": [source.pk]}
    assert Profile.objects.filter(filters.compile_tree(imported, timezone.now())).count() == 2


def test_values_left_out_are_warnings_and_the_row_goes_in():
    Attribute.objects.create(name="plan", type="text", is_type_fixed=True)
    source = finished(uploaded("external_id,plan,n:number,email\na,5,x,nonsense\nb,pro,1,b@example.com\n"))
    assert (source.created_count, source.skipped_count, source.warning_count) == (2, 0, 3)
    assert source.status == Import.Status.COMPLETE
    assert [row[:3] for row in report(source)] == [
        ["2", "warning", "“n”: “x” is not a number"],
        ["2", "warning", "'email' is not valid"],
        ["2", "warning", "'plan' must be of type text"],
    ]


def test_a_dry_run_reports_what_an_import_would_and_changes_nothing(sink):
    ProfileFactory(external_id="b", first_name="Ben")
    Attribute.objects.create(name="plan", type="text", is_type_fixed=True)
    text = "external_id,first_name,plan,new\na,Ada,pro,1\nb,Bob,5,2\n,x,y,z\n"
    checked = finished(uploaded(text), is_dry_run=True)
    figures = (checked.row_count, checked.created_count, checked.updated_count, checked.skipped_count)
    assert figures == (3, 1, 1, 1)
    assert [row[2] for row in report(checked)] == ["'plan' must be of type text", "has no external_id"]
    assert Profile.objects.get().first_name == "Ben"
    assert not Attribute.objects.filter(name="new").exists()
    assert not ImportedProfile.objects.exists()
    done = finished(checked)
    assert (done.row_count, done.created_count, done.updated_count, done.skipped_count) == figures
    assert len(report(done)) == 2  # the report began anew


def test_events_are_imported_without_starting_anything_unless_asked(reacting):
    text = "external_id,name,time,bought.properties.price\na,bought,2026-01-05,9.5\na,,2026-01-05,\na,bought,someday,\n"
    source = finished(uploaded(text, content=Import.Content.EVENTS))
    assert CustomEvent.objects.get().properties == {"price": 9.5}
    assert (source.created_count, source.skipped_count) == (1, 2)
    assert not PendingEvent.objects.exists()
    finished(uploaded(text.replace("-05,", "-06,"), content=Import.Content.EVENTS, may_trigger=True))
    assert PendingEvent.objects.count() == 1


def test_profiles_are_found_by_alias_email_and_internal_id_and_the_latter_makes_none():
    ada = ProfileFactory(external_id="a", email="ada@example.com")
    finished(uploaded("email,plan\nADA@example.com,pro\nnew@example.com,free\n"))
    ada.refresh_from_db()
    assert ada.custom_attributes == {"plan": "pro"}
    assert Profile.objects.filter(email="new@example.com").count() == 1
    source = finished(uploaded(f"braze_id,plan\n{ada.braze_id},team\nnobody,free\n"))
    assert (source.updated_count, source.skipped_count) == (1, 1)
    assert report(source)[0][2] == "names no profile that is there"
    source = finished(uploaded("user_alias_name,user_alias_label,plan\nx,crm,pro\nx,crm,free\n"))
    assert (source.created_count, source.updated_count) == (1, 1)


def test_subscription_groups_are_set():
    group = SubscriptionGroup.objects.create(name="News")
    head = "external_id,subscription_group_id,subscription_state\n"
    source = finished(uploaded(f"{head}a,{group.key},unsubscribed\nb,{group.key},maybe\nc,,\n"))
    assert SubscriptionState.objects.get().state == "unsubscribed"
    assert source.skipped_count == 1


def test_korean_text_of_windows_is_read():
    source = finished(uploaded("external_id,first_name\na,철수\n".encode("cp949")))
    assert source.encoding == "cp949"
    assert Profile.objects.get().first_name == "철수"


def test_a_segment_of_the_imported_is_made_once_with_a_free_name():
    Segment.objects.create(name="people.csv")
    finished(uploaded("external_id\na\n", makes_segment=True))
    segment = Segment.objects.get(name="people.csv (2)")
    assert segment.filters["filter"] == "imported"


def chunked(monkeypatch, size: int) -> None:
    monkeypatch.setattr(runs, "CHUNK", size)


def test_an_import_goes_on_at_the_next_chunk_whoever_takes_it_up(monkeypatch):
    chunked(monkeypatch, 10)
    text = "external_id,name,time\n" + "".join(f"p{n % 7},visited,2026-01-05T00:00:{n:02}\n" for n in range(45))
    source = uploaded(text + ",x,y\n", content=Import.Content.EVENTS)
    setup.start(source, is_dry_run=False)
    assert runs.lease(source, timezone.now())
    next(runs.run(source))  # and the process dies
    assert not runs.lease(Import.objects.get(), timezone.now())  # still leased
    with open(source.report.path if source.report else os.devnull, "ab") as file:
        file.write(b"left by a chunk that was not stored")
    Import.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    runs.run_waiting(lambda: False)
    source.refresh_from_db()
    assert (source.row_count, source.skipped_count) == (46, 1)
    assert CustomEvent.objects.count() == 45
    assert sum(EventSummary.objects.values_list("count", flat=True)) == 45
    assert len(report(source)) == 1


def test_who_lost_the_lease_stores_nothing_more(monkeypatch):
    chunked(monkeypatch, 1)
    source = uploaded("external_id\na\nb\nc\n")
    setup.start(source, is_dry_run=False)
    runs.lease(source, timezone.now())
    running = runs.run(source)
    next(running)
    other = timezone.now() + timedelta(minutes=5)
    Import.objects.update(leased_until=other)
    assert list(running) == []
    assert Profile.objects.count() == 1
    assert Import.objects.get().leased_until == other


def test_a_cancelled_import_stops_and_can_go_on(monkeypatch):
    chunked(monkeypatch, 1)
    source = uploaded("external_id\na\nb\nc\n")
    setup.start(source, is_dry_run=False)
    runs.lease(source, timezone.now())
    running = runs.run(source)
    next(running)
    setup.cancel(source, timezone.now())
    assert list(running) == []
    source.refresh_from_db()
    assert (source.status, Profile.objects.count()) == (Import.Status.CANCELLED, 1)
    setup.go_on(source)
    runs.run_waiting(lambda: False)
    source.refresh_from_db()
    assert (source.status, source.row_count, Profile.objects.count()) == (Import.Status.COMPLETE, 3, 3)


def test_a_fault_of_ours_ends_the_import_as_failed_with_its_place_kept(monkeypatch, caplog):
    chunked(monkeypatch, 1)
    source = uploaded("external_id\na\nb\n")
    calls = []

    def broken(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise ValueError("out of order")
        return track(*args, **kwargs)

    track = runs.track
    monkeypatch.setattr(runs, "track", broken)
    source = finished(source)
    assert (source.status, source.error, source.row_count) == (Import.Status.FAILED, "ValueError: out of order", 1)
    setup.go_on(source)
    runs.run_waiting(lambda: False)
    assert Profile.objects.count() == 2


def test_hostile_cells_are_stored_or_named_never_fatal():
    cells = ["=cmd()", "a\0b", "x" * 300, "\ud7ff", "{}", "'; drop table", '"quoted ""twice"""', "１２"]
    text = "external_id,note\n" + "".join(f"p{n},{cell}\n" for n, cell in enumerate(cells))
    source = finished(uploaded(text.encode("utf-8", "surrogatepass")))
    assert source.created_count == len(cells)
    assert Profile.objects.get(external_id="p1").custom_attributes["note"] == "a\ufffdb"
    assert [row[:3] for row in report(source)] == [["4", "warning", "'note' is longer than 255 characters"]]


def test_what_a_report_repeats_is_no_formula():
    source = finished(uploaded("external_id,note\n=HYPERLINK(),1,2\n"))
    assert report(source)[0][3:] == ["'=HYPERLINK()", "1", "2"]


def test_files_of_old_imports_are_deleted():
    source = finished(uploaded("external_id\n,\na\n"))
    path = source.file.path
    assert setup.prune(timezone.now() - timedelta(days=1)) == 0
    assert setup.prune(timezone.now() + timedelta(days=1)) == 1
    assert not os.path.exists(path)
    source.refresh_from_db()
    assert not source.file
    assert source.row_count == 2


@pytest.mark.processes
def test_an_import_killed_in_the_middle_is_finished_by_a_worker_with_each_row_once(tmp_path, workers):
    path = tmp_path / "events.csv"
    lines = (f"p{n % 50},visited,2026-01-05T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z\n" for n in range(40_000))
    path.write_text("external_id,name,time\n" + "".join(lines))
    env = os.environ | {"DATABASE_URL": test_database_url(), "DATA_DIR": str(tmp_path)}
    command = [sys.executable, "manage.py", "import_profiles", str(path), "--events"]
    process = subprocess.Popen(command, env=env, cwd=settings.BASE_DIR, stderr=subprocess.DEVNULL)
    wait_until(lambda: CustomEvent.objects.exists(), "nothing is imported")
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    source = Import.objects.get()
    assert 0 < source.row_count < 40_000, "the kill came too late to prove anything"
    Import.objects.update(leased_until=timezone.now())  # as if a minute had passed
    workers.start("default", DATA_DIR=str(tmp_path), REDIS_URL=f"unix://{settings.VALKEY_SOCKET}")
    wait_until(lambda: Import.objects.filter(status="complete").exists(), "nobody took it up", 60)
    source.refresh_from_db()
    assert source.row_count == CustomEvent.objects.count() == 40_000
    assert sum(EventSummary.objects.values_list("count", flat=True)) == 40_000
