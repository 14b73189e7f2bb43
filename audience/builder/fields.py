"""The form field that holds a filter tree."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from audience import filters
from audience.builder import inputs, known, nodes, shown
from audience.builder.nodes import Group, Unbuildable
from audience.filters import Problem

SOURCE = "__source"


class FiltersWidget(forms.Widget):
    """The builder, or without JavaScript a textarea of JSON. See FiltersField."""

    template_name = "audience/builder/widget.html"
    estimate_url_name = "admin:audience_filters_estimate"

    class Media:
        js = ("audience/builder.js",)

    def __init__(self, attrs: Any = None, estimate_url_name: str | None = None) -> None:
        super().__init__(attrs)
        self.estimate_url_name = estimate_url_name or self.estimate_url_name

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        """A tree from the inputs; text where the JSON was sent."""
        return tree_from(data, name)

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data and name + SOURCE not in data

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return super().get_context(name, None, attrs) | context(name, value, self.estimate_url_name)


class FiltersField(forms.Field):
    """A filter tree (a dict; empty: `{}`), built on the page or typed as JSON. What is wrong with it is refused.

    To embed the builder in another form, declare the field and show the form's media:

        class StepForm(forms.Form):
            filters = FiltersField(label=_("Additional filters"), required=False)

    It needs htmx on the page (the admin has it), a signed-in member of staff, and any name or prefix that is unique on
    the page, so that a formset may hold several. The inputs between are named `<name>[<place>]<key>`; nobody else
    reads those. The estimate is of the filters alone; to estimate a whole audience (segments and all), give the widget
    another `estimate_url_name`: it is POSTed the form with the builder's name in `builder`, `tree_from(request.POST,
    name)` reads the tree, and the answer replaces the estimate (`audience/builder/estimate.html`).
    """

    widget = FiltersWidget

    def to_python(self, value: Any) -> dict[str, Any]:
        if isinstance(value, str):
            value = _parsed(value)
        if value and not isinstance(value, dict):
            raise ValidationError(_("Filters are a JSON object such as {“all”: […]}."))
        return {} if filters.is_empty(value) else value

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise ValidationError(_("Add at least one filter. To reach all profiles, choose “all profiles”."))
        if problems := filters.validate(value):
            raise ValidationError([problem.sentence for problem in problems])

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or {}))
        except ValidationError:
            return True


def tree_from(data: Mapping[str, Any], name: str) -> Any:
    """The tree that the form data holds under the name: from the inputs, or as JSON text if that was sent."""
    if data.get(name + SOURCE) == "inputs":
        return nodes.to_tree(inputs.read(data, name))
    return data.get(name, "")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise ValidationError(_("This is not JSON: %(error)s"), params={"error": error}) from error


def context(name: str, value: Any, estimate_url_name: str, *, is_draft: bool = False) -> dict[str, Any]:
    """What the templates of the builder need for a value (a tree, or the text that was sent).

    While it is a draft nothing is said beside filters that nobody has filled in yet; the estimate says it.
    """
    text = value if isinstance(value, str) else json.dumps(value or {}, indent=2, ensure_ascii=False)
    root = _root(value)
    return {
        "name": name,
        "json": text,
        "can_build": root is not None,
        "root": shown.show(root, name, () if is_draft else _problems(root)) if root else None,
        "offered": shown.offered(),
        "suggestions": known.suggestions(),
        "estimate_url_name": estimate_url_name,
    }


def _root(value: Any) -> Group | None:
    try:
        return nodes.from_tree(_parsed(value) if isinstance(value, str) else value)
    except (Unbuildable, ValidationError):
        return None


def _problems(root: Group) -> list[Problem]:
    return [*filters.validate(nodes.to_tree(root))] if root.members else []
