from django.apps import AppConfig
from django.db.backends.signals import connection_created


class AudienceConfig(AppConfig):
    name = "audience"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audience import filters, sqlite
        from audience.filters.catalog import BUILT_IN

        filters.register(*BUILT_IN)
        connection_created.connect(sqlite.add_functions)
