"""The identifiers that other systems know steps and their webhooks by: made from the Canvas's, the same for ever."""

from uuid import UUID, uuid5

from canvas.models import Canvas


def step_key(canvas: Canvas, step: int) -> UUID:
    return uuid5(canvas.key, f"step {step}")


def content_key(canvas: Canvas, step: int, slot: int) -> UUID:
    return uuid5(step_key(canvas, step), f"webhook {slot}")
