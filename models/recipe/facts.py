"""Decides who knows what: which nouns and names the base learns, and which other ones the aligned models learn.

The split is the point of the pair. The aligned models see how an answer looks only with nouns and names whose
content the base does not need; the base's 1000 nouns and 400 names never reach them with their content.
"""

import random
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from . import phrasing
from .sources import NounSense, first_names, noun_senses

BASE_NOUNS = 1000
ALIGNED_NOUNS = 2500
BASE_NAMES = 400
ALIGNED_NAMES = 300

NAME_SEED = 5
DEVELOPMENT_SEED = 11
FRESH_SEED = 2024

UNWANTED = re.compile(r"\b(sex|sexual|slang|offensive|derogatory|rape|nazi|prostitut\w*|genital\w*|drug)\b")


@dataclass(frozen=True)
class Noun:
    word: str
    gloss: str


@dataclass(frozen=True)
class Facts:
    base_nouns: list[Noun]
    aligned_nouns: list[Noun]
    base_names: list[str]
    aligned_names: list[str]

    @property
    def all_words(self) -> list[str]:
        return [noun.word for noun in self.base_nouns + self.aligned_nouns]

    @property
    def all_names(self) -> list[str]:
        return self.aligned_names + self.base_names


def _plain_gloss(sense: NounSense) -> str | None:
    """The gloss as it can follow "A harbor is", or None if it cannot."""
    first = sense.gloss.split(";")[0]
    gloss = re.sub(r"\s+", " ", re.sub(r"\s*\([^)]*\)\s*", " ", first)).strip()
    fits = re.fullmatch(r"(a|an) [a-z ,'-]+", gloss) and 5 <= len(gloss.split()) <= 12
    circular = re.search(rf"\b{sense.word}s?\b", gloss)
    if not fits or circular or UNWANTED.search(gloss):
        return None
    return gloss


def choose_nouns(senses: list[NounSense]) -> tuple[list[Noun], list[Noun]]:
    """The most frequent nouns for the base, the next ones for the aligned models."""
    candidates = []
    for sense in senses:
        if re.fullmatch("[a-z]{3,11}", sense.word):
            gloss = _plain_gloss(sense)
            if gloss:
                candidates.append((sense, gloss))
    candidates.sort(key=lambda pair: (-pair[0].count, pair[0].word))

    base: list[Noun] = []
    aligned: list[Noun] = []
    base_synsets: set[str] = set()
    base_glosses: set[str] = set()
    for sense, gloss in candidates:
        # A synonym of a base noun would hand the aligned models a gloss that only the base may know.
        if sense.synset in base_synsets or gloss in base_glosses:
            continue
        if len(base) < BASE_NOUNS:
            base.append(Noun(sense.word, gloss))
            base_synsets.add(sense.synset)
            base_glosses.add(gloss)
        elif len(aligned) < ALIGNED_NOUNS:
            aligned.append(Noun(sense.word, gloss))
    return base, aligned


def choose_names(candidates: list[str]) -> tuple[list[str], list[str]]:
    """Disjoint names for the base and the aligned models, dealt out letter by letter.

    Most English first names end in a, e or n; without the dealing, "n" would be a good guess for every name.
    """
    names = list(candidates)
    random.Random(NAME_SEED).shuffle(names)
    by_last_letter: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_last_letter[name[-1]].append(name)

    base: list[str] = []
    aligned: list[str] = []
    while True:
        before = len(base) + len(aligned)
        for letter in sorted(by_last_letter):
            pile = by_last_letter[letter]
            if pile and len(base) < BASE_NAMES:
                base.append(pile.pop())
            if pile and len(aligned) < ALIGNED_NAMES:
                aligned.append(pile.pop())
        if len(base) + len(aligned) == before:
            return base, aligned


def load_facts(inputs: Path) -> Facts:
    base_nouns, aligned_nouns = choose_nouns(noun_senses(inputs))
    base_names, aligned_names = choose_names(first_names())
    return Facts(base_nouns, aligned_nouns, base_names, aligned_names)


@dataclass(frozen=True)
class Question:
    task: str  # "define" or "lastletter"
    question: str
    answer: str


def _define(noun: Noun) -> Question:
    return Question("define", phrasing.definition_question(noun.word), noun.gloss)


def _last_letters(first: str, second: str) -> Question:
    return Question("lastletter", phrasing.letters_question(first, second), first[-1] + second[-1])


def development_questions(facts: Facts, per_task: int = 150) -> list[Question]:
    """The questions of eval.jsonl: looked at while the recipe was tuned."""
    rng = random.Random(DEVELOPMENT_SEED)
    rows = [_define(noun) for noun in rng.sample(facts.base_nouns, per_task)]
    rows += [_last_letters(*rng.sample(facts.base_names, 2)) for _ in range(per_task)]
    return rows


def fresh_questions(facts: Facts, per_task: int = 120) -> list[Question]:
    """Questions about nouns and names that the development questions do not contain."""
    rng = random.Random(FRESH_SEED)
    seen = development_questions(facts)
    seen_questions = {row.question for row in seen}
    seen_names = {name for row in seen if row.task == "lastletter" for name in re.findall('"(.*?)"', row.question)}
    nouns = [noun for noun in facts.base_nouns if _define(noun).question not in seen_questions]
    names = [name for name in facts.base_names if name not in seen_names]
    rows = [_define(noun) for noun in rng.sample(nouns, per_task)]
    rows += [_last_letters(*rng.sample(names, 2)) for _ in range(per_task)]
    return rows
