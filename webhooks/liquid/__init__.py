"""Braze's dialect of Liquid: read a template once, render it for many messages.

    template = parse("Hi {{${first_name}}}")
    template.render(RenderData(profile, now=now))

Everything from outside comes in through `Services`; nothing here imports the database or the network.
"""

from .context import RenderData, Scope
from .errors import Aborted, LiquidProblem, LiquidSyntaxProblem, Postponed, RenderProblem
from .services import ConnectedContentAnswer, ConnectedContentCall, Services
from .template import Template, parse, render
from .undeclared import undeclared

__all__ = [
    "Aborted",
    "ConnectedContentAnswer",
    "ConnectedContentCall",
    "LiquidProblem",
    "LiquidSyntaxProblem",
    "Postponed",
    "RenderData",
    "RenderProblem",
    "Scope",
    "Services",
    "Template",
    "parse",
    "render",
    "undeclared",
]
