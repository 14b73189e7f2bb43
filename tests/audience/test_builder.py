"""What the builder shows can be read back, and every button does what it says."""

import json

import pytest
from django import forms
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings

from audience import filters
from audience.builder import FiltersField, inputs, known, nodes, shown
from audience.builder.nodes import Group, LeafNode, Unbuildable, act, from_tree, to_tree
from audience.models import Attribute, EventName
from tests.audience.filters import strategies as some

pytestmark = pytest.mark.django_db
EVERYONE = {"filter": "everyone"}
PLAN = {"filter": "custom_attribute", "name": "plan", "type": "text", "op": "any_of", "values": ["pro"]}


def typed(root: Group, name: str = "filters") -> QueryDict:
    """What a browser sends for the builder."""
    data = QueryDict(mutable=True)
    data[f"{name}__source"] = "inputs"
    send(shown.show(root, name), data)
    return data


def send(each: shown.Shown, data: QueryDict) -> None:
    if each.node.is_negated:
        data[f"{each.prefix}negated"] = "1"
    if each.is_group:
        data[f"{each.prefix}kind"], data[f"{each.prefix}name"] = each.node.kind, each.node.name
    else:
        data[f"{each.prefix}filter"] = each.node.leaf["filter"]
        data[f"{each.prefix}kept"] = each.kept
        send_inputs(each.inputs, data)
    for member in each.members:
        send(member, data)


def send_inputs(some_inputs, data: QueryDict) -> None:
    for each in some_inputs:
        for row in each.rows:
            send_inputs(row.inputs, data)
        chosen = [value for value, _label, is_chosen in each.choices if is_chosen]
        if each.kind == "choice":
            data[each.name] = (chosen or [each.choices[0][0]])[0]
        elif each.kind == "options":
            data.setlist(each.name, chosen)
        else:
            data[each.name] = each.value


def is_typable(value) -> bool:
    """Lines are stripped when they are read: values that begin or end with a blank go through JSON."""
    if isinstance(value, dict):
        return all(map(is_typable, value.values()))
    if isinstance(value, list):
        return all(map(is_typable, value)) and len({str(each) for each in value}) == len(value)
    return not isinstance(value, str) or (value == value.strip() and "\n" not in value)


def meaning(tree):
    """The tree without what the builder may say otherwise: default units, empty optional inputs."""
    if isinstance(tree, dict):
        kept = {key: meaning(value) for key, value in tree.items() if not (value in ("", []) and key != "all")}
        return {key: value for key, value in kept.items() if (key, value) != ("unit", "days")}
    return [meaning(each) for each in tree] if isinstance(tree, list) else tree


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=some.trees.filter(is_typable))
def test_what_the_builder_shows_is_read_back_as_it_was(tree):
    read = to_tree(inputs.read(typed(from_tree(tree)), "filters"))
    expected = to_tree(from_tree(tree))
    assert meaning(read) == meaning(expected)
    assert filters.validate(read) == filters.validate(expected)


@pytest.mark.parametrize("junk", [{"all": 1}, {"x": 1}, {"not": {"not": EVERYONE}}, {"all": [3]}, {"filter": 7}, "x"])
def test_what_is_no_tree_can_only_be_edited_as_json(junk):
    with pytest.raises(Unbuildable):
        from_tree(junk)


def test_a_group_keeps_its_name_and_an_exclusion_its_not():
    tree = {"all": [EVERYONE, {"not": {"any": [PLAN, EVERYONE], "name": "Never these"}}], "name": "Root"}
    assert to_tree(inputs.read(typed(from_tree(tree)), "filters")) == tree


def test_a_filter_we_lack_is_kept_as_it_came():
    tree = {"all": [EVERYONE, {"filter": "app_version", "op": "over", "version": [1, {"a": None}]}]}
    assert to_tree(inputs.read(typed(from_tree(tree)), "filters")) == tree


def test_buttons_add_duplicate_and_remove_where_they_are():
    root = from_tree({"all": [EVERYONE, PLAN]})
    assert to_tree(act(root, "duplicate", (0,)))["all"] == [EVERYONE, EVERYONE, PLAN]
    assert to_tree(act(root, "remove", (0,))) == PLAN
    assert to_tree(act(act(root, "remove", (0,)), "remove", (0,))) == {}
    nested = act(root, "add-group", ())
    assert to_tree(act(nested, "add-filter", (2,)))["all"][2] == {"any": [nodes.BLANK_FILTER] * 2}
    assert to_tree(act(root, "add-exclusion", ()))["all"][2] == {"not": {"any": [nodes.BLANK_FILTER]}}
    assert isinstance(act(root, "add-filter", ()).members[2], LeafNode)


@pytest.mark.parametrize("action", ["add-filter", "add-group", "remove", "duplicate", "add-condition", "nonsense"])
@pytest.mark.parametrize("place", [(9,), (0, 0), (0, 1, 2), (1, 5)])
def test_a_place_that_is_gone_changes_nothing_else(action, place):
    root = from_tree({"all": [EVERYONE, PLAN]})
    assert to_tree(act(root, action, place)) == to_tree(root)


def test_conditions_of_an_event_are_added_and_removed():
    event = {"filter": "custom_event_recent", "name": "bought", "op": "more", "value": 0, "within": 3}
    root = act(act(from_tree(event), "add-condition", (0,)), "add-condition", (0,))
    read = inputs.read(typed(root), "filters")
    assert len(to_tree(read)["conditions"]) == 2
    assert len(to_tree(act(read, "remove-condition", (0, 1)))["conditions"]) == 1


def test_changing_the_type_changes_the_comparisons_and_keeps_the_rest():
    data = typed(from_tree(PLAN))
    data["filters[0]type"] = "number"
    leaf = to_tree(inputs.read(data, "filters"))
    assert (leaf["name"], leaf["type"], leaf["op"], leaf["value"]) == ("plan", "number", "exactly", "")


def test_problems_stand_beside_the_filter_that_has_them():
    tree = {"all": [EVERYONE, {"not": {"any": [PLAN | {"values": []}, PLAN]}}]}
    root = from_tree(tree)
    drawn = shown.show(root, "filters", filters.validate(tree))
    assert drawn.members[1].members[0].problems == ["Fill in “values”."]
    assert not drawn.problems
    assert not drawn.members[1].members[1].problems


class Form(forms.Form):
    filters = FiltersField(required=False)


def test_the_field_takes_inputs_or_json_and_refuses_what_is_wrong():
    data = typed(from_tree(PLAN))
    assert Form(data).is_valid()
    form = Form({"filters": json.dumps(PLAN)})
    assert form.is_valid()
    assert form.cleaned_data["filters"] == PLAN
    assert "not JSON" in Form({"filters": "{"}).errors["filters"][0]
    assert Form({"filters": "[1]"}).errors
    assert Form({"filters": "[" * 100_000}).errors
    assert Form({"filters": '{"all": []}'}).errors == {}
    assert Form({"filters": '{"filter": "nope"}'}).errors["filters"] == ["There is no filter “nope”."]


def test_several_builders_on_a_page_keep_apart():
    data = typed(from_tree(PLAN), "a")
    data.update(typed(from_tree(EVERYONE), "a-b"))
    assert to_tree(inputs.read(data, "a")) == PLAN
    assert to_tree(inputs.read(data, "a-b")) == EVERYONE


def test_a_flood_of_inputs_is_cut():
    data = {f"filters[{n}]filter": "everyone" for n in range(9_999)}
    data["filters[" + "0." * 300 + "0]filter"] = "everyone"
    assert len(inputs.read(data, "filters").members) <= 1_000


def test_unknown_names_get_a_hint_and_negations_joined_by_or_a_warning():
    Attribute.objects.create(name="plan", type="text")
    EventName.objects.create(kind="event", name="checked_out")
    event = {"filter": "custom_event_count", "name": "cheked_out", "op": "more", "value": 1}
    odd = known.oddities({"all": [PLAN | {"name": "plna"}, event, PLAN]})
    assert odd == [
        "No profile has the attribute “plna” yet. Did you mean “plan”?",
        "The event “cheked_out” has never happened. Did you mean “checked_out”?",
    ]
    assert known.oddities({"any": [PLAN | {"op": "none_of"}, PLAN | {"op": "not_contains"}]}) == [
        "Negative filters on “plan” are joined by OR: together they match everybody."
    ]
