"""What the template of every list asks for."""

from typing import Any

from django import template

from config.pages import views

register = template.Library()


@register.inclusion_tag("home/views.html", takes_context=True)
def saved_views(context: dict[str, Any]) -> dict[str, Any]:
    """The saved views of this list, and a form to save one."""
    return {**views.of(context["request"]), "csrf_token": context.get("csrf_token")}
