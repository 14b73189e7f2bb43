"""Liquid found in what was fetched, run once in the same scope where the author asked for it."""

from liquid.token import Token

from webhooks.liquid.context import Context


def rerendered(value: object, context: Context, token: Token) -> object:
    """The value with Liquid in its texts run. Tags that fetch stay text. Raises Fault for Liquid that cannot be run."""
    if isinstance(value, str):
        return context.render_text(value, token, "what was fetched", may_fetch=False)
    if isinstance(value, list):
        return [rerendered(item, context, token) for item in value]
    if isinstance(value, dict):
        return {key: rerendered(item, context, token) for key, item in value.items()}
    return value
