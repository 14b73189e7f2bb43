from django.apps import AppConfig
from django.db.backends.signals import connection_created


class AudienceConfig(AppConfig):
    name = "audience"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audience import filters, sqlite
        from audience.filters.catalog import BUILT_IN
        from audience.portable import KIND
        from workspace import files

        filters.register(*BUILT_IN)
        files.register(KIND)
        connection_created.connect(sqlite.add_functions)
