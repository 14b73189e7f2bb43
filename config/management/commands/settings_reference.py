"""Prints docs/settings.md."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import reference


class Command(BaseCommand):
    help = "Print the reference of all settings, as Markdown."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        source = (settings.BASE_DIR / "config" / "settings.py").read_text()
        example = (settings.BASE_DIR / ".env.example").read_text()
        self.stdout.write(reference.page(reference.variables(source, example)), ending="")
