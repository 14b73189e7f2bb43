"""What is refused when a template is saved: what cannot be read, and names of things that do not exist."""

from collections.abc import Iterator

from liquid.token import Token

from .analysis import walk
from .errors import LiquidSyntaxProblem, position
from .services import Services
from .tags.catalogs import CatalogNode
from .tags.connected_content import ConnectedContentNode
from .tags.messages import PromotionNode, TranslationNode
from .template import Template, parse


def check(source: str, services: Services) -> Template:
    """The template. Raises LiquidSyntaxProblem for the first thing that must be mended before it can be saved.

    A kind of thing whose service is absent is not checked. Nothing is fetched and no promotion code is taken, so
    whether a list has codes left shows only when sending.
    """
    template = parse(source)
    for token, sentence in _missing(template, services):
        raise LiquidSyntaxProblem(sentence, *position(source, token.start_index))
    return template


def _missing(template: Template, services: Services) -> Iterator[tuple[Token, str]]:
    yield from _blocks(template, services)
    yield from _credentials(template, services)
    for node in walk(template.bound.nodes):
        if isinstance(node, CatalogNode):
            yield from _catalog(node, services)
        elif isinstance(node, PromotionNode) and services.is_promotion and not services.is_promotion(node.list_name):
            yield node.token, f"there is no list of promotion codes '{node.list_name}'"
        elif isinstance(node, ConnectedContentNode):
            yield from _stored_values(node, services)
    yield from _repeated_translations(template)


def _blocks(template: Template, services: Services) -> Iterator[tuple[Token, str]]:
    for name, token in template.uses.blocks:
        if services.content_block and services.content_block(name) is None:
            yield token, f"there is no Content Block '{name}'"


def _credentials(template: Template, services: Services) -> Iterator[tuple[Token, str]]:
    for used in template.uses.attributes:
        if used.namespace == "credentials" and services.credential and services.credential(used.name) is None:
            yield used.token, f"there is no credential '{used.name}'"


def _catalog(node: CatalogNode, services: Services) -> Iterator[tuple[Token, str]]:
    catalog, name = node.catalog.constant, node.wanted[0].constant
    if catalog is None:
        return
    if services.catalog_items and services.catalog_items(catalog, []) is None:
        yield node.token, f"there is no catalog '{catalog}'"
    elif (
        node.is_selection and name and services.catalog_selection and services.catalog_selection(catalog, name) is None
    ):
        yield node.token, f"the catalog '{catalog}' has no selection '{name}'"


def _stored_values(node: ConnectedContentNode, services: Services) -> Iterator[tuple[Token, str]]:
    for option in ("basic_auth", "auth_credentials"):
        said = node.options.values.get(option)
        if said and said.constant and services.is_credential and not services.is_credential(said.constant):
            yield node.token, f"there is no credential '{said.constant}' for Connected Content"


def _repeated_translations(template: Template) -> Iterator[tuple[Token, str]]:
    seen = set()
    for node in walk(template.bound.nodes):
        if isinstance(node, TranslationNode):
            if node.id in seen:
                yield node.token, f"the translation id '{node.id}' is used twice"
            seen.add(node.id)
