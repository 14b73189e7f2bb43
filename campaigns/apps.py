from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from campaigns import context, owners
        from webhooks import hooks
        from webhooks import owners as content_owners

        content_owners.finders.append(owners.of_content)
        hooks.context_sources.append(context.of_messages)
