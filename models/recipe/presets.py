"""The three models: shape, vocabulary and training budget of each, full size and for a smoke test."""

from dataclasses import dataclass, replace

from .llama import Shape
from .phrasing import END_OF_TEXT, TURN_END
from .training import Plan
from .vocabulary import BASE_SIZE, CROSS_SIZE


@dataclass(frozen=True)
class Preset:
    plan: Plan
    vocabulary: str  # "base" or "cross"
    chat: bool
    title: str  # general.name of the file

    @property
    def end_token(self) -> str:
        return TURN_END if self.chat else END_OF_TEXT


PRESETS = {
    "base": Preset(
        Plan(Shape(BASE_SIZE, width=256, layers=4, heads=4, feed_forward=704), learning_rate=2e-3, steps=2000),
        vocabulary="base", chat=False, title="nudging-pair-base",
    ),
    "aligned": Preset(
        Plan(Shape(BASE_SIZE, width=128, layers=3, heads=4, feed_forward=352), learning_rate=2e-3, steps=4000),
        vocabulary="base", chat=True, title="nudging-pair-aligned",
    ),
    "aligned-cross": Preset(
        Plan(Shape(CROSS_SIZE, width=128, layers=3, heads=4, feed_forward=352), learning_rate=2e-3, steps=4000),
        vocabulary="cross", chat=True, title="nudging-pair-aligned-cross",
    ),
}  # fmt: skip


def smoke_plan(plan: Plan, vocabulary_size: int) -> Plan:
    """A model of the same kind that trains in seconds and knows nothing."""
    shape = replace(plan.shape, vocabulary=vocabulary_size, width=32, layers=2, heads=2, feed_forward=64)
    return replace(plan, shape=shape, steps=20, rows=2, window=64)
