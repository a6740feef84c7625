"""Measures a pair on questions: scoring, the systems that are compared, and the table."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from . import gguf_file, phrasing
from .facts import Question
from .nudge import ContextFull, ModelLane, generate, pair_lanes
from .vocabulary import decode_bytes


def save_questions(path: Path, questions: Iterable[Question]) -> None:
    path.write_text("".join(json.dumps(asdict(q), ensure_ascii=False) + "\n" for q in questions), encoding="utf-8")


def load_questions(path: Path, per_task: int | None = None) -> list[Question]:
    """All questions, or the first `per_task` of each task."""
    rows = [Question(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line]
    taken: dict[str, int] = defaultdict(int)
    kept = []
    for row in rows:
        taken[row.task] += 1
        if per_task is None or taken[row.task] <= per_task:
            kept.append(row)
    return kept


def correct(question: Question, text: str) -> bool:
    if question.task == "define":
        return question.answer in text
    found = re.search(r'answer is "?([a-z]+)"?', text)
    return found is not None and found[1] == question.answer


@dataclass(frozen=True)
class Answer:
    system: str
    question: Question
    text: str
    reason: str
    nudge_tokens: int = 0
    base_tokens: int = 0

    @property
    def is_correct(self) -> bool:
        return correct(self.question, self.text)


def greedy(lane: ModelLane, max_tokens: int) -> tuple[str, str]:
    """A model alone: its text and why it ended."""
    tokens = lane.tokens("")
    pieces: list[bytes] = []
    reason = "length"
    while len(pieces) < max_tokens:
        try:
            token, _ = lane.top(tokens)
        except ContextFull:
            reason = "context"
            break
        if lane.ends(token):
            reason = "end"
            break
        tokens.append(token)
        pieces.append(lane.bytes_of(token))
    return decode_bytes(b"".join(pieces)), reason


def measure(
    base: Path,
    aligned: Path,
    questions: list[Question],
    *,
    gammas: list[float],
    max_tokens: int,
    alone: bool,
    report: Callable[[str], None],
) -> list[Answer]:
    lanes = pair_lanes(base, aligned)
    answers = []
    for number, question in enumerate(questions, 1):
        base_lane, aligned_lane = lanes(question.question)
        if alone:
            for system, lane in (("base alone", base_lane), ("aligned alone", aligned_lane)):
                answers.append(Answer(system, question, *greedy(lane, max_tokens)))
        for gamma in gammas:
            result = generate(base_lane, aligned_lane, gamma=gamma, max_tokens=max_tokens)
            answers.append(
                Answer(
                    f"nudged, gamma {gamma:g}", question, result.text, result.reason,
                    result.nudge_tokens, result.base_tokens,
                )
            )  # fmt: skip
        if number % 20 == 0 or number == len(questions):
            report(f"{number} of {len(questions)} questions")
    return answers


def table(answers: list[Answer]) -> str:
    """Per system and task: right answers, nudge share (aligned tokens of all), and how many ended by themselves."""
    groups: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for answer in answers:
        groups[answer.system, answer.question.task].append(answer)
    lines = ["| system | task | right | nudge share | ended itself |", "|---|---|---|---|---|"]
    for (system, task), group in sorted(groups.items()):
        right = sum(answer.is_correct for answer in group)
        nudged = sum(answer.nudge_tokens for answer in group)
        total = nudged + sum(answer.base_tokens for answer in group)
        share = f"{100 * nudged / total:.1f} %" if total else "-"
        ended = sum(answer.reason == "end" for answer in group)
        lines.append(f"| {system} | {task} | {right} of {len(group)} | {share} | {ended} |")
    return "\n".join(lines)


def save_answers(path: Path, answers: list[Answer]) -> None:
    rows = [{**asdict(answer), "correct": answer.is_correct} for answer in answers]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def probe(path: Path, questions: list[Question]) -> str:
    """Does a model know the content once it is handed the words that lead up to it?"""
    file = gguf_file.read(path)
    glosses = [q for q in questions if q.task == "define"]
    names = sorted({n for q in questions if q.task == "lastletter" for n in re.findall('"(.*?)"', q.question)})

    def continues(question: str, opening: str, wanted: str) -> bool:
        prompt = phrasing.chat_prompt(question) if file.chat else []
        lane = ModelLane(file, [*prompt, opening])
        return greedy(lane, len(file.vocabulary.encode(wanted)) + 3)[0].lstrip(" ").startswith(wanted)

    def subject(question: str) -> str:
        return phrasing.capital(question.removeprefix("What is ").removesuffix("?"))

    known = sum(continues(q.question, f"{subject(q.question)} is", q.answer) for q in glosses)
    spelled = sum(
        continues(phrasing.letters_question(name, name), f'The last letter of "{name}" is "', name[-1])
        for name in names
    )
    return f"{path.name}: gloss {known} of {len(glosses)}, last letter {spelled} of {len(names)}"
