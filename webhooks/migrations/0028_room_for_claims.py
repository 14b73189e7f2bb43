"""Leaves half of each page of messages free, so that claiming and recording are HOT updates: no index is touched."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def forwards(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE webhooks_message SET (fillfactor = 50)")


def backwards(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE webhooks_message RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0027_log_of_tests")]

    operations = [migrations.RunPython(forwards, backwards)]
