from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_save

        from audience import person, reactions
        from audience.reactions import Phase
        from campaigns import calls, checks, context, events, history, launch, owners, people, revenue, scheduled
        from campaigns.portable import KIND
        from outreach import approvals, later, plan, suppression
        from outreach import revenue as outreach_revenue
        from webhooks import hooks
        from webhooks import owners as content_owners
        from workspace import files

        files.register(KIND)
        person.add_section("campaigns", people.campaigns)
        post_save.connect(history.content_saved, sender="webhooks.Content")
        content_owners.finders.append(owners.of_content)
        hooks.context_sources.append(context.of_messages)
        hooks.add_check(checks.DURATION, checks.is_in_time)
        hooks.add_check(checks.EXCEPTIONS, checks.has_no_exception)
        hooks.add_check(checks.AUDIENCE, checks.is_in_audience)
        hooks.add_check(checks.ELIGIBILITY, checks.is_eligible)
        outreach_revenue.sources.append(revenue.credits)
        plan.takers.append(scheduled.take_run)
        plan.schedulers.append(scheduled.add_runs)
        later.runners["campaign"] = calls.run
        approvals.needs.append(launch.asks_for_approval)
        suppression.api_finders.append(owners.sent_by_api)
        reactions.add_listener(events.listener)
        reactions.add_reaction(Phase.EXCEPTIONS, events.drop)
        reactions.add_reaction(Phase.ENTRIES, events.set_off)
