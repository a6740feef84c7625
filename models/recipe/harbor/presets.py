"""The two models: shape and training budget."""

from ..llama import Shape
from ..presets import Preset
from ..training import Plan
from .tokens import SIZE

PRESETS = {
    "base": Preset(
        Plan(Shape(SIZE, width=192, layers=4, heads=6, feed_forward=512), learning_rate=4e-3, steps=5000),
        vocabulary="harbor", chat=False, title="nudging-harbor-base",
    ),
    "aligned": Preset(
        Plan(Shape(SIZE, width=128, layers=3, heads=4, feed_forward=352), learning_rate=4e-3, steps=2000),
        vocabulary="harbor", chat=True, title="nudging-harbor-aligned",
    ),
}  # fmt: skip
