from django.apps import AppConfig


class OutreachConfig(AppConfig):
    name = "outreach"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audience import uses as audience_uses
        from outreach import counters, uses
        from webhooks import hooks

        hooks.recorders.append(counters.record)
        hooks.reopeners.append(counters.take_back)
        audience_uses.add_source(uses.of_segment)
