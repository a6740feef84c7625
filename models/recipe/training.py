"""Trains one model from random weights: batches, schedule, checkpoints, progress."""

import contextlib
import math
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from . import phrasing
from .chats import Chats
from .llama import Llama, Shape
from .phrasing import END_OF_TEXT, TURN_END
from .prose import Prose
from .vocabulary import Vocabulary

IGNORED = -100
WARM_UP_STEPS = 150
FINAL_RATE = 0.03
CHECKPOINT_SECONDS = 120


@dataclass(frozen=True)
class Plan:
    """What a run is. Two runs with equal plans and step budgets see the same batches."""

    shape: Shape
    learning_rate: float
    steps: int
    seed: int = 1
    rows: int = 8
    window: int = 256
    minutes: float | None = None  # ends the run by the clock instead; then the schedule follows the clock too


Document = tuple[list[int], list[bool]]  # tokens, and whether each is to be learned


def prose_documents(prose: Prose, vocabulary: Vocabulary) -> Callable[[random.Random], Document]:
    end = vocabulary.special(END_OF_TEXT)

    def document(rng: random.Random) -> Document:
        tokens = [*vocabulary.encode(prose.document(rng)), end]
        return tokens, [True] * len(tokens)

    return document


def chat_documents(chats: Chats, vocabulary: Vocabulary) -> Callable[[random.Random], Document]:
    """Only the answer and its end are learned: a model that learns to ask wastes its few parameters."""

    def document(rng: random.Random) -> Document:
        chat = chats.document(rng)
        prompt = vocabulary.encode_parts(phrasing.chat_prompt(chat.question))
        answer = vocabulary.encode_parts([chat.answer, TURN_END, "\n"])
        return prompt + answer, [False] * len(prompt) + [True] * len(answer)

    return document


def batch(document: Callable[[random.Random], Document], plan: Plan, step: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets of a step, a function of the step alone, so that a resumed run needs no stream position.

    Every row starts with the start of a document, as every prompt does.
    """
    inputs, targets = [], []
    for row in range(plan.rows):
        rng = random.Random(f"{plan.seed}/{step}/{row}")
        tokens: list[int] = []
        learned: list[bool] = []
        while len(tokens) <= plan.window:
            more, mask = document(rng)
            tokens += more
            learned += mask
        inputs.append(tokens[: plan.window])
        wanted = zip(tokens[1 : plan.window + 1], learned[1 : plan.window + 1], strict=True)
        targets.append([token if learn else IGNORED for token, learn in wanted])
    return torch.tensor(inputs), torch.tensor(targets)


def learning_rate(plan: Plan, step: int, done: float) -> float:
    """Linear warm-up, then half a cosine over the share of the budget that is `done` (0 to 1)."""
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return plan.learning_rate * warm_up * (FINAL_RATE + (1 - FINAL_RATE) * cosine)


class Trainer:
    def __init__(self, plan: Plan, document: Callable[[random.Random], Document], checkpoint: Path):
        torch.manual_seed(plan.seed)
        self.plan, self.document, self.checkpoint = plan, document, checkpoint
        self.model = Llama(plan.shape)
        matrices = [p for p in self.model.parameters() if p.dim() > 1]
        vectors = [p for p in self.model.parameters() if p.dim() <= 1]
        groups = [{"params": matrices, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=plan.learning_rate, betas=(0.9, 0.95), fused=True)
        self.step = 0
        self.seconds = 0.0

    def resume(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        if state["shape"] != self.plan.shape.as_dict():
            raise ValueError(f"{self.checkpoint} holds a model of another shape: {state['shape']}")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]

    def save(self) -> None:
        partial = self.checkpoint.with_name(self.checkpoint.name + ".partial")
        state = {
            "shape": self.plan.shape.as_dict(),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    @property
    def done(self) -> float:
        if self.plan.minutes is not None:
            return self.seconds / (60 * self.plan.minutes)
        return self.step / self.plan.steps

    def run(self, *, compiled: bool, report: Callable[[str], None]) -> bool:
        """Trains to the end of the budget; saves and returns False if interrupted before it."""
        loss_of = torch.compile(self._loss) if compiled else self._loss
        loss_of(*batch(self.document, self.plan, 0)).backward()  # compiles before the clock runs
        self.optimizer.zero_grad(set_to_none=True)

        losses: list[float] = []
        tokens_per_step = self.plan.rows * self.plan.window
        started = last = saved = time.monotonic()
        first_step = self.step
        with interrupt_flag() as interrupted:
            while self.done < 1 and not interrupted():
                losses.append(self._update(loss_of))
                now = time.monotonic()
                self.seconds += now - last
                last = now
                if self.step % 100 == 0:
                    rate = (self.step - first_step) * tokens_per_step / (now - started)
                    report(
                        f"step {self.step}  {100 * self.done:.0f}%  {self.seconds:.0f} s  "
                        f"loss {sum(losses) / len(losses):.4f}  {rate:.0f} tokens/s"
                    )
                    losses.clear()
                if now - saved > CHECKPOINT_SECONDS:
                    self.save()
                    saved = now
        self.save()
        report(f"saved at step {self.step}: {self.step * tokens_per_step} tokens in {self.seconds:.0f} s")
        return self.done >= 1

    def _loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.model(inputs)
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED)

    def batch(self) -> tuple[Tensor, Tensor]:
        return batch(self.document, self.plan, self.step)

    def rate(self) -> float:
        return learning_rate(self.plan, self.step, self.done)

    def _update(self, loss_of: Callable[[Tensor, Tensor], Tensor]) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        loss = loss_of(*self.batch())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return loss.item()


@contextlib.contextmanager
def interrupt_flag() -> Iterator[Callable[[], bool]]:
    """Ctrl-C or SIGTERM asks the loop to finish its step and save; a second one stops at once."""
    asked = False
    previous = {}

    def ask(number: int, _frame: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(number, previous[number])

    for number in (signal.SIGINT, signal.SIGTERM):
        previous[number] = signal.signal(number, ask)
    try:
        yield lambda: asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
