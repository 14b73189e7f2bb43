"""What the pages for people say exists: commands and their options, units, settings, files, links, metrics."""

import re
from argparse import ArgumentParser
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

from config import reference

ROOT = settings.BASE_DIR
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
OURS = [path for path in PAGES if path.name not in ("liquid.md", "canvas.md", "campaigns.md")]
MANAGE = re.compile(r"(?:manage\.py|(?<![\w=/@-])hookline) ([a-z][a-z_]+)([^\n`|]*)")


def texts() -> str:
    return "\n".join(path.read_text() for path in OURS)


def commands() -> list[tuple[str, str]]:
    return [(name, rest.partition(" #")[0]) for name, rest in MANAGE.findall(texts())]


def parser_of(name: str) -> ArgumentParser:
    return load_command_class(get_commands()[name], name).create_parser("manage.py", name)


def test_there_is_something_to_check():
    assert len({name for name, _rest in commands()}) > 12


def test_every_command_exists_with_every_option_named():
    wrong = []
    for name, rest in commands():
        if name not in get_commands():
            wrong.append(name)
            continue
        known = parser_of(name)._option_string_actions
        wrong += [f"{name} {option}" for option in re.findall(r"(?<![\w-])--[a-z-]+", rest) if option not in known]
    assert wrong == []


def test_every_command_of_ours_is_in_the_documents():
    ours = {name for name, app in get_commands().items() if (ROOT / str(app).replace(".", "/")).is_dir()}
    assert len(ours) > 10
    assert {name for name in ours if name not in {found for found, _rest in commands()}} == {"load_demo"}


def test_every_make_target_exists():
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"(?:`| {4}|&& )make ([a-z]+)", texts()))
    assert named >= {"demo", "test", "run", "check"}
    assert {name for name in named if f"\n{name}:" not in makefile} == set()


def test_every_unit_exists():
    named = set(re.findall(r"(?<![/\w])hookline(?:-[a-z]+@?|(?=\.target))(?:\.target|\.timer)?", texts()))
    units = {path.name.removesuffix(".service") for path in (ROOT / "deploy/systemd").iterdir()}
    assert len(named) >= 7
    assert named - units == set()


def test_every_setting_named_exists():
    source, example = (ROOT / "config/settings.py").read_text(), (ROOT / ".env.example").read_text()
    known = {variable.name for variable in reference.variables(source, example)}
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)(?:=[^`]*)?`|^ {4}([A-Z_]+)=", texts(), re.MULTILINE))
    assert {a or b for a, b in named} - known - {
        "POSTGRES_PASSWORD",
        "HOOKLINE",
        "KEY",
    } == set()  # the last two are of shell examples
    assert len(named) > 15


def test_every_metric_named_exists():
    source = "".join((ROOT / path).read_text() for path in ("webhooks/metrics.py", "outreach/metrics.py"))
    named = set(re.findall(r"\bhookline_(?!restored|trial)[a-z_]+\b", texts()))
    assert {name for name in named if f'"{name}"' not in source} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_paths_lead_somewhere(page: Path):
    text = page.read_text()
    links = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text) if "://" not in target]
    paths = re.findall(r"`((?:[a-z_]+/)+[\w.*-]+\.(?:py|conf|yaml|md|service))`", text)
    starts = [page.parent, ROOT, *(path for path in ROOT.iterdir() if path.is_dir())]
    assert [target for target in links if target and not (page.parent / target).exists()] == []
    assert [path for path in paths if not any([*start.glob(path)] for start in starts)] == []


def test_the_settings_reference_is_current():
    source, example = (ROOT / "config/settings.py").read_text(), (ROOT / ".env.example").read_text()
    assert (ROOT / "docs/settings.md").read_text() == reference.page(reference.variables(source, example))


def test_the_example_shows_the_defaults_that_the_code_has():
    source, example = (ROOT / "config/settings.py").read_text(), (ROOT / ".env.example").read_text()
    shown = dict(re.findall(r"^#([A-Z0-9_]+)=(.*)$", example, re.MULTILINE))
    for variable in reference.variables(source, example):
        if variable.default:
            assert shown[variable.name].removesuffix(".0") == variable.default.removesuffix(".0"), variable.name


def test_a_setting_without_a_description_is_noticed():
    with pytest.raises(LookupError, match="NEW_ONE"):
        reference.variables('X = env.int("NEW_ONE", 3)', "# words\n#OLD=1\n")
    found = reference.variables('X = env.int("NEW_ONE", 3_000)', "# What it\n# is for.\n#NEW_ONE=3000\n")
    assert found == [reference.Variable("NEW_ONE", "number", "3000", "What it is for.")]
