from django.apps import AppConfig


class CanvasConfig(AppConfig):
    name = "canvas"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audience import erasure, person
        from audience import reactions as audience_reactions
        from audience import uses as audience_uses
        from audience.reactions import Phase
        from canvas import conversions, delivery, entry, owners, people, reactions, uses
        from outreach import plan
        from webhooks import hooks
        from webhooks import owners as content_owners

        audience_reactions.add_listener(reactions.listener)
        audience_reactions.add_reaction(Phase.CONVERSIONS, conversions.convert)
        audience_reactions.add_reaction(Phase.EXITS, reactions.react)  # exceptions and action paths with them, in order
        audience_reactions.add_reaction(Phase.ENTRIES, reactions.let_in)
        hooks.add_check(delivery.CHECK_POSITION, delivery.check)
        hooks.context_sources.append(delivery.context_of)
        hooks.recorders.insert(0, delivery.record)  # it locks journeys, so it must come before the totals
        plan.takers.append(entry.take_run)
        content_owners.finders.append(owners.of_content)
        person.add_section("canvases", people.journeys)
        audience_uses.add_source(uses.of_segment)
        erasure.add_eraser(people.erase, people.extent)
