from django.apps import AppConfig


class OutreachConfig(AppConfig):
    name = "outreach"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audience import filters, merging, reactions
        from audience import uses as audience_uses
        from audience.reactions import Phase
        from outreach import (
            capping,
            checks,
            conversions,
            counters,
            direct,
            later,
            outcomes,
            people,
            plan,
            revenue,
            stream,
            uses,
        )
        from outreach.filters import FILTERS
        from webhooks import hooks

        filters.register(*FILTERS)
        hooks.add_check(checks.ACTIVE, checks.is_active)
        hooks.add_check(checks.SUPPRESSION, checks.is_reachable)
        hooks.add_check(checks.SUBSCRIPTION, checks.is_subscribed)
        hooks.add_check(checks.QUIET, checks.is_not_quiet)
        hooks.add_check(checks.CAPS, capping.is_within_caps)
        hooks.add_check(checks.CONTROL, checks.is_not_control)
        hooks.recorders.append(outcomes.record)
        hooks.recorders.append(stream.record)
        hooks.recorders.append(counters.record)
        reactions.add_listener(conversions.listener)
        reactions.add_listener(revenue.listener)
        reactions.add_reaction(Phase.CONVERSIONS, conversions.react)
        reactions.add_reaction(Phase.CONVERSIONS, revenue.react)
        hooks.reopeners.append(counters.take_back)
        audience_uses.add_source(uses.of_segment)
        merging.add_merger(people.merge)
        later.runners["messages"] = direct.run
        plan.schedulers += [later.run_due, direct.plan_due]
