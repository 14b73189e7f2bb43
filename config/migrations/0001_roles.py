"""Make the roles Viewer, Editor, Launcher and Admin. Groups of the same name that exist already are left alone."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

from config.roles import make


def make_roles(apps, schema_editor):
    for app_config in apps.get_app_configs():
        app_config.models_module = True  # permissions are otherwise made only after all migrations
        create_permissions(app_config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
        app_config.models_module = None
    make(apps.get_model("auth", "Group"), apps.get_model("auth", "Permission"))


def leave(apps, schema_editor):
    """The groups may be in use: they stay."""


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("workspace", "0021_quiet_hours_and_approvals"),
        ("audience", "0021_import_columns"),
        ("webhooks", "0023_log_hours"),
        ("outreach", "0021_calls"),
        ("campaigns", "0020_types_and_controls"),
        ("canvas", "0025_experiment_results"),
    ]
    operations = [migrations.RunPython(make_roles, leave)]
