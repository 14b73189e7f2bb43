"""Tags that look catalog items up and assign them to `items`."""

from collections.abc import Iterable

from liquid.ast import Node
from liquid.expression import Expression
from liquid.tag import Tag
from liquid.token import Token

from webhooks.liquid.context import Context
from webhooks.liquid.errors import Fault, Refusal
from webhooks.liquid.limits import Writer
from webhooks.liquid.tokens import Tokens

from .pieces import Pieces, pieces, words
from .rerender import rerendered

MOST_IDS = 50
RERENDER = ":rerender"


class CatalogNode(Node):
    """Assigns the items found to `items`; a Fault where there is no such catalog or selection."""

    __slots__ = ("catalog", "is_rerendered", "is_selection", "wanted")

    def __init__(
        self, token: Token, catalog: Pieces, wanted: list[Pieces], *, is_selection: bool, is_rerendered: bool
    ) -> None:
        super().__init__(token)
        self.catalog = catalog
        self.wanted = wanted
        self.is_selection = is_selection
        self.is_rerendered = is_rerendered

    def render_to_output(self, context: Context, buffer: Writer) -> int:
        catalog = self.catalog.evaluate(context)
        found = self._found(context, catalog, [part.evaluate(context) for part in self.wanted])
        if found is None:
            what = f"selection '{self.wanted[0].evaluate(context)}' in" if self.is_selection else "items of"
            raise Fault(f"there is no {what} a catalog '{catalog}'", self.token)
        items: list[object] = [dict(item) for item in found]  # type: ignore[call-overload]
        context.assign("items", rerendered(items, context, self.token) if self.is_rerendered else items)
        return 0

    def _found(self, context: Context, catalog: str, wanted: list[str]) -> Iterable[object] | None:
        services = context.data.services
        if self.is_selection:
            return services.catalog_selection(catalog, wanted[0]) if services.catalog_selection else None
        return services.catalog_items(catalog, wanted) if services.catalog_items else None

    def expressions(self) -> Iterable[Expression]:
        return [self.catalog, *self.wanted]

    def template_scope(self) -> Iterable[str]:
        return ["items"]


class CatalogItemsTag(Tag):
    """`catalog_items Catalog id id …`"""

    name = "catalog_items"
    block = False
    most = MOST_IDS

    def parse(self, stream: Tokens) -> Node:
        token = stream.current
        parts = words(stream.free_text(token))
        is_rerendered = any(part.value == RERENDER for part in parts)
        catalog, *wanted = [part for part in parts if part.value != RERENDER] or [token]
        if not 1 <= len(wanted) <= self.most:
            raise Refusal(self._usage(), token)
        return CatalogNode(
            token,
            pieces(catalog),
            [pieces(part) for part in wanted],
            is_selection=self.most == 1,
            is_rerendered=is_rerendered,
        )

    def _usage(self) -> str:
        if self.most == 1:
            return "write {% catalog_selection_items Catalog selection %}"
        return f"write {{% catalog_items Catalog id id %}}, with 1 to {self.most} ids"


class CatalogSelectionTag(CatalogItemsTag):
    """`catalog_selection_items Catalog selection`"""

    name = "catalog_selection_items"
    most = 1
