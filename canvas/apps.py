from django.apps import AppConfig


class CanvasConfig(AppConfig):
    name = "canvas"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audience import erasure, filters, merging, person
        from audience import reactions as audience_reactions
        from audience import uses as audience_uses
        from audience.reactions import Phase
        from canvas import (
            calls,
            conversions,
            delivery,
            owners,
            people,
            reactions,
            revenue,
            scheduled,
            selection,
            told_steps,
            uses,
        )
        from canvas.filters import FILTERS
        from canvas.portable import KIND
        from outreach import checks, later, plan, stream_lines
        from outreach import results as outreach_results
        from outreach import revenue as outreach_revenue
        from webhooks import hooks
        from webhooks import owners as content_owners
        from workspace import files

        files.register(KIND)
        filters.register(*FILTERS)
        audience_reactions.add_listener(reactions.listener)
        audience_reactions.add_reaction(Phase.CONVERSIONS, conversions.convert)
        audience_reactions.add_reaction(Phase.EXITS, reactions.react)  # exceptions and action paths with them, in order
        audience_reactions.add_reaction(Phase.ENTRIES, reactions.let_in)
        hooks.add_check(delivery.CHECK_POSITION, delivery.check)
        checks.quiet_spared.append(delivery.loud)
        hooks.context_sources.append(delivery.context_of)
        hooks.recorders.insert(0, delivery.record)  # it locks journeys, so it must come before the totals
        plan.takers.append(scheduled.take_run)
        plan.schedulers.append(scheduled.add_runs)
        outreach_results.sources.append(selection.figures)
        outreach_revenue.sources.append(revenue.credits)
        later.runners["canvas"] = calls.run
        stream_lines.sources.append(told_steps.of_events)
        content_owners.finders.append(owners.of_content)
        person.add_section("canvases", people.journeys)
        audience_uses.add_source(uses.of_segment)
        erasure.add_eraser(people.erase, people.extent)
        merging.add_merger(people.merge)
