from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.conf import settings

        from audience import erasure, merging, person
        from webhooks import checks, people  # noqa: F401 - registers the system checks
        from webhooks.liquid import limits

        limits.configure(iterations=settings.LIQUID_ITERATIONS, seconds=settings.LIQUID_SECONDS)

        person.add_section("messages", people.messages)
        person.add_section("message_log", people.failures)
        erasure.add_eraser(people.erase, people.extent)
        merging.add_merger(people.merge)
