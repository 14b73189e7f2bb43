import os

from django.apps import AppConfig


class ReactingConfig(AppConfig):
    name = "tests.audience.reacting"

    def ready(self) -> None:
        from audience.reactions import Phase, add_reaction
        from tests.audience.reacting import effects
        from workspace import worker

        worker.LOOK_EVERY = int(os.environ.get("LOOK_EVERY", worker.LOOK_EVERY))
        add_reaction(Phase.ENTRIES, effects.note)
        add_reaction(Phase.ENTRIES, effects.die_once)
