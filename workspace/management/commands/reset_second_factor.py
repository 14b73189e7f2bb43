"""Lets somebody in again who lost phone and recovery codes."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from workspace.access import second_factor, sessions


class Command(BaseCommand):
    help = (
        "Remove a person's second factor and end their sessions; their password is enough until they set up a new one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is nobody named {options['username']}.")
        if not second_factor.switch_off(user):
            raise CommandError(f"{user.username} has no second factor.")
        sessions.end(user)
        self.stdout.write(f"{user.username} signs in with the password alone now.")
