"""Fills an empty installation with demo data, for trying things out."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from audience.models import Profile, Segment
from campaigns.models import Campaign
from config.demo import campaign as demo

SEGMENTS = {
    "Pro customers": {
        "filter": "custom_attribute",
        "name": "plan",
        "type": "text",
        "op": "any_of",
        "values": ["pro"],
    },
    "Speaks Korean": {"filter": "language", "op": "any_of", "values": ["ko"]},
}


class Command(BaseCommand):
    help = "Load demo profiles, segments and a draft campaign. What exists already is left alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--admin", action="store_true", help="make the user “admin” and print its password")
        parser.add_argument("--receiver", default="http://127.0.0.1:8765", help="where the demo campaign sends to")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Demo data is for trials: set ENVIRONMENT=development.")
        if not Profile.objects.exists():
            call_command("import_profiles", str(settings.BASE_DIR / "config" / "demo" / "profiles.csv"))
        for name, tree in SEGMENTS.items():
            Segment.objects.get_or_create(name=name, defaults={"filters": tree})
        if not Campaign.objects.exists():
            demo.build(options["receiver"])
        if options["admin"]:
            self.make_admin()

    def make_admin(self) -> None:
        """A superuser with a random password, kept beside the other secrets of this trial."""
        path = settings.DATA_DIR / "admin_password"
        if not User.objects.filter(username="admin").exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(9))
            User.objects.create_superuser("admin", "admin@example.com", path.read_text())
        if path.exists():
            self.stdout.write(f"Sign in as admin with the password {path.read_text()}")
