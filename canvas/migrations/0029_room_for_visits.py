"""Leaves part of each page of visits free, so that ending a visit is a HOT update: no index is touched."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def forwards(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE canvas_stepvisit SET (fillfactor = 60)")


def backwards(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE canvas_stepvisit RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("canvas", "0028_time_factor")]

    operations = [migrations.RunPython(forwards, backwards)]
