"""How the harbor pair is optimised: Muon for the matrices, AdamW for the rest, a level rate that falls to nothing at the end.

As the rate is level until the last part, the number of steps can still be changed until then, with the same result as if it had been
chosen at the start.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from ..training import Document, Plan, Trainer, batch

WARM_UP_STEPS = 60
PRACTICE_STEPS = 200  # of nothing but short lists that are repeated, in short windows
PRACTICE_ROWS, PRACTICE_WINDOW = 24, 64
FALL = 0.4  # share of the steps over which the rate falls


def learning_rate(plan: Plan, step: int) -> float:
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    return plan.learning_rate * warm_up * min(1.0, (plan.steps - step) / (FALL * plan.steps))


class Both:
    """Two optimizers that are stepped and stored as one."""

    def __init__(self, *parts: torch.optim.Optimizer):
        self.parts = parts

    @property
    def param_groups(self) -> list[dict]:
        return [group for part in self.parts for group in part.param_groups]

    def step(self) -> None:
        for part in self.parts:
            part.step()

    def zero_grad(self, set_to_none: bool = True) -> None:
        for part in self.parts:
            part.zero_grad(set_to_none=set_to_none)

    def state_dict(self) -> list[dict]:
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict]) -> None:
        for part, state in zip(self.parts, states, strict=True):
            part.load_state_dict(state)


class HarborTrainer(Trainer):
    """Begins with practice in copying: a model finds a name of the question again after some dozen steps of that, and else very late."""

    def __init__(
        self,
        plan: Plan,
        document: Callable[[random.Random], Document],
        checkpoint: Path,
        practice: Callable[[random.Random], Document],
    ):
        super().__init__(plan, document, checkpoint)
        self.practice = practice
        inner = [p for name, p in self.model.named_parameters() if p.dim() > 1 and not name.startswith("token_embd")]
        outer = [p for name, p in self.model.named_parameters() if p.dim() <= 1 or name.startswith("token_embd")]
        # Scaled like AdamW's, so that one rate serves both.
        muon = torch.optim.Muon(inner, lr=plan.learning_rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
        adam = torch.optim.AdamW(outer, lr=plan.learning_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
        self.optimizer = Both(muon, adam)

    def batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        if self.step >= PRACTICE_STEPS:
            return batch(self.document, self.plan, self.step)
        short = replace(self.plan, rows=PRACTICE_ROWS, window=PRACTICE_WINDOW)
        return batch(self.practice, short, self.step)

    def rate(self) -> float:
        return learning_rate(self.plan, self.step)
