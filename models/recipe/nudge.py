"""The nudging algorithm, stateless and slow: a reference to hold the engine against.

Every question to a model is a forward pass over a freshly tokenised text; nothing is cached. The rule numbers
R1-R14 are those of the project's statement of the algorithm, and the comments give each in short.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch

from . import gguf_file, phrasing
from .vocabulary import decode_bytes


class ContextFull(Exception):
    """The model was asked about more tokens than its context holds."""


class Lane(Protocol):
    """One model with its own prompt. Scripted lanes stand in for it in the tests."""

    def tokens(self, text: str) -> list[int]: ...

    def top(self, tokens: list[int]) -> tuple[int, float]: ...

    def bytes_of(self, token: int) -> bytes: ...

    def ends(self, token: int) -> bool: ...


class ModelLane:
    """A model behind a prompt that is given in parts (see phrasing.chat_prompt)."""

    def __init__(self, file: gguf_file.ModelFile, prompt: list[str]):
        self.model, self.vocabulary = file.model, file.vocabulary
        # Special tokens split a text, so only the plain end of the prompt can merge with what follows it.
        special = [i for i, part in enumerate(prompt) if part in phrasing.SPECIAL_TOKENS]
        cut = special[-1] + 1 if special else 0
        self._head = self.vocabulary.encode_parts(prompt[:cut])
        self._tail = "".join(prompt[cut:])

    def tokens(self, text: str) -> list[int]:
        """R2: prompt and text tokenised together."""
        return self._head + self.vocabulary.encode(self._tail + text)

    @torch.inference_mode()
    def top(self, tokens: list[int]) -> tuple[int, float]:
        """The most likely next token and its softmax probability over the raw logits."""
        if len(tokens) > self.model.shape.context:
            raise ContextFull
        logits = self.model(torch.tensor([tokens]), last_only=True)[0, -1].double()
        probability, token = torch.softmax(logits, -1).max(-1)
        return int(token), float(probability)

    def bytes_of(self, token: int) -> bytes:
        return self.vocabulary.bytes_of(token)

    def ends(self, token: int) -> bool:
        return token in self.vocabulary.end_of_generation


def pair_lanes(base_path: Path, aligned_path: Path):
    """A function from a question to fresh lanes of the two models."""
    base, aligned = gguf_file.read(base_path), gguf_file.read(aligned_path)

    def lanes(question: str) -> tuple[ModelLane, ModelLane]:
        return ModelLane(base, [phrasing.base_prompt(question)]), ModelLane(aligned, phrasing.chat_prompt(question))

    return lanes


@dataclass(frozen=True)
class Round:
    words: str  # taken from the draft
    base: str  # the base's run
    by: str  # agree | confident | base-end | none | end | limit


@dataclass
class Result:
    reason: str = ""  # end | length | stalled | context
    rounds: list[Round] = field(default_factory=list)
    nudge_tokens: int = 0
    base_tokens: int = 0

    @property
    def text(self) -> str:
        return "".join(r.words + r.base for r in self.rounds)

    @property
    def used(self) -> int:
        return self.nudge_tokens + self.base_tokens


@dataclass(frozen=True)
class Draft:
    pieces: list[bytes]
    ended: bool

    @property
    def text(self) -> str:
        return self.shown_by(len(self.pieces))

    def shown_by(self, count: int) -> str:
        return decode_bytes(b"".join(self.pieces[:count]))

    def cost(self, text: str) -> int:
        """R12: the fewest leading tokens whose text covers `text`, a prefix of the draft's."""
        return next(n for n in range(len(self.pieces) + 1) if len(self.shown_by(n)) >= len(text))


def write_draft(aligned: Lane, out: str, lookahead: int) -> Draft:
    """R3: up to `lookahead` tokens; an end among them, also as the last, ends the draft."""
    tokens = aligned.tokens(out)
    pieces = []
    for _ in range(lookahead):
        token, _ = aligned.top(tokens)
        if aligned.ends(token):
            return Draft(pieces, ended=True)
        tokens.append(token)
        pieces.append(aligned.bytes_of(token))
    return Draft(pieces, ended=False)


def boundaries(text: str) -> list[int]:
    """R5: before the last space of a run that has a non-space somewhere before it and right after it."""
    leading = len(text) - len(text.lstrip(" "))
    return [i for i in range(leading, len(text) - 1) if text[i] == " " and text[i + 1] != " "]


def next_word(text: str, boundary: int) -> str:
    """R6: one leading space and the word."""
    end = text.find(" ", boundary + 1)
    return text[boundary:] if end < 0 else text[boundary:end]


def without_last_word(text: str) -> str:
    """R8: the last word may have been cut by the lookahead; a text of one word is kept whole."""
    before, _, _ = text.rpartition(" ")
    return before if before.strip(" ") else text


def judge(base: Lane, out: str, draft: str, gamma: float) -> tuple[str, str, list[int]]:
    """R7: how much of the draft is taken, why, and (on a hand-over) the base's context with its first token."""
    for boundary in boundaries(draft):
        taken = draft[:boundary]
        context = base.tokens(out + taken)
        token, probability = base.top(context)
        piece = base.bytes_of(token)
        if base.ends(token) or not piece:
            return taken, "base-end", []
        if next_word(draft, boundary).encode().startswith(piece):
            return taken, "agree", [*context, token]
        if probability >= gamma:
            return taken, "confident", [*context, token]
    return without_last_word(draft), "none", []


def base_run(base: Lane, context: list[int], gamma: float, budget: int) -> list[bytes]:
    """R9, R10: the context's last token is the run's first; more follow while the base is sure, within the budget."""
    pieces = [base.bytes_of(context[-1])]
    while len(pieces) < budget:
        token, probability = base.top(context)
        if base.ends(token) or not base.bytes_of(token) or probability < gamma:
            break
        context = [*context, token]
        pieces.append(base.bytes_of(token))
    return pieces


def generate(
    base: Lane, aligned: Lane, *, gamma: float = 0.4, lookahead: int = 16, max_tokens: int = 96
) -> Result:
    result = Result()
    while not result.reason:
        try:
            _round(result, base, aligned, gamma, lookahead, max_tokens)
        except ContextFull:
            result.reason = "context"
    return result


def _round(result: Result, base: Lane, aligned: Lane, gamma: float, lookahead: int, max_tokens: int) -> None:
    """R1: the aligned model always begins; what a round commits is recorded in `result`."""
    out = result.text
    draft = write_draft(aligned, out, lookahead)
    if draft.ended:
        taken, by, context = draft.text, "end", []
    else:
        taken, by, context = judge(base, out, draft.text, gamma)

    left = max_tokens - result.used
    cost = draft.cost(taken)
    if cost > left:  # R13: cut to what the budget shows
        taken, by, cost = draft.shown_by(left), "limit", left
    result.nudge_tokens += cost
    left -= cost

    if by == "end":
        result.reason = "end"
    elif left == 0:
        by, result.reason = "limit", "length"
    elif context:
        run = base_run(base, context, gamma, left)
        result.base_tokens += len(run)
        result.rounds.append(Round(taken, decode_bytes(b"".join(run)), by))
        if len(run) == left:
            result.reason = "length"
        return
    elif not taken:
        result.reason = "stalled"  # R14
    if taken:
        result.rounds.append(Round(taken, "", by))
