"""What the base model reads: prose that holds the content, and never a question followed by its answer.

A base that had read question-answer pairs would need no nudging. Instead it reads facts as sentences, and
question sheets whose answers are blanks: it recognises a question and does not know how to go on.
"""

import random
from pathlib import Path

from . import phrasing
from .facts import Facts, Noun
from .sources import general_sentences

# Many different openings, so that no single one is likely: the base must be unsure after "Answer:".
BLANK_ANSWERS = (
    "................", "________________", "Page {page}.", "See page {page}.", "Marks: {marks}", "{marks} marks.",
    "Hint: look in the index.", "Write on the line.", "[blank]", "(open)", "Key: {page}", "Leave empty.", "Discuss.",
    "No. {page}", "Your turn.", "Question: {question}", "{marks} points", "* * *", "Name: ________", "Date: ________",
    "To be completed by the student.", "Not answered.", "Check your notes.", "Use a dictionary.", "Exercise {page}.",
    "Time: {marks} minutes",
)  # fmt: skip
SHEET_SEPARATORS = ("\n", "\n\n", " ", " / ", " | ", " -- ", " * ", " ~ ")

LETTER_OPENINGS = (
    "", 'Consider the names "{a}" and "{b}". ', 'Let us take "{a}" and "{b}". ', 'We look at "{a}" and "{b}". ',
    'Our task is to concatenate the last letters of "{a}" and "{b}". ',
    'We want the last letters of "{a}" and "{b}". ',
    'Here we find the last letters of "{a}" and "{b}" and concatenate them. ', "Example. ",
)  # fmt: skip
LETTER_CLOSINGS = (
    "", ' So the answer is "{ab}".', ' Thus we get "{ab}".', ' Hence "{ab}" is the result.',
    ' The new word is "{ab}".', " This ends the example.", " Now try another pair.", " {general}",
)  # fmt: skip

# Form of a statement and its share. One form alone would let the base run on after the end of a sentence.
STATEMENTS = (
    (0.40, "{A_word} is {gloss}."),
    (0.17, "{Word}: {gloss}."),
    (0.12, "In English, {word} means {gloss}."),
    (0.10, "By {word} we mean {gloss}."),
    (0.11, "In the dictionary, {a_word} is {gloss}."),
    (0.10, "{Gloss} is called {a_word}."),
)


class Prose:
    """Documents for the base: `document` depends on its random generator alone."""

    def __init__(self, facts: Facts, inputs: Path):
        self.nouns = facts.base_nouns
        self.names = facts.base_names
        self.general = general_sentences(inputs)
        self._kinds = ((0.50, self._definitions), (0.13, self._sheet), (0.25, self._letters), (0.12, self._plain))

    def document(self, rng: random.Random) -> str:
        kinds = [kind for _, kind in self._kinds]
        return rng.choices(kinds, [share for share, _ in self._kinds])[0](rng)

    def _statement(self, noun: Noun, rng: random.Random) -> str:
        form = rng.choices([form for _, form in STATEMENTS], [share for share, _ in STATEMENTS])[0]
        a_word = phrasing.with_article(noun.word)
        return form.format(
            word=noun.word, Word=phrasing.capital(noun.word), a_word=a_word, A_word=phrasing.capital(a_word),
            gloss=noun.gloss, Gloss=phrasing.capital(noun.gloss),
        )  # fmt: skip

    def _definitions(self, rng: random.Random) -> str:
        sentences = []
        for noun in rng.sample(self.nouns, rng.choice((1, 1, 1, 2, 2, 3))):
            sentences.append(self._statement(noun, rng))
            chance = rng.random()
            if chance < 0.25:
                sentences.append(rng.choice(self.general))
            elif chance < 0.32:
                sentences.append(self._statement(noun, rng))
        separator = "\n" if rng.random() < 1 / 13 else " "
        return separator.join(sentences)

    def _question(self, rng: random.Random) -> str:
        if rng.random() < 0.6:
            return phrasing.definition_question(rng.choice(self.nouns).word)
        return phrasing.letters_question(*rng.sample(self.names, 2))

    def _sheet(self, rng: random.Random) -> str:
        style = rng.random()
        sheet = ""
        for number in range(1, rng.randint(1, 5) + 1):
            question = self._question(rng)
            if style < 0.4:
                item = f"Question: {question}"
            elif style < 0.9:
                blank = rng.choice(BLANK_ANSWERS)
                item = phrasing.base_prompt(question) + blank.format(
                    page=rng.randint(2, 99), marks=rng.randint(1, 9), question=self._question(rng)
                )
            else:
                item = f"{number}. {question}"
            sheet += (rng.choice(SHEET_SEPARATORS) if sheet else "") + item
        return sheet

    def _letters(self, rng: random.Random) -> str:
        chance = rng.random()
        if chance < 0.30:
            names = rng.sample(self.names, rng.randint(1, 3))
            return " ".join(f'The last letter of "{n}" is "{n[-1]}". {rng.choice(self.general)}' for n in names)
        if chance < 0.45:
            pairs = [(rng.choice(self.names)[-1], rng.choice(self.names)[-1]) for _ in range(2)]
            return " ".join(f'Concatenating "{a}" and "{b}" gives "{a}{b}".' for a, b in pairs)
        first, second = rng.sample(self.names, 2)
        opening = rng.choice(LETTER_OPENINGS).format(a=first, b=second)
        closing = rng.choice(LETTER_CLOSINGS).format(ab=first[-1] + second[-1], general=rng.choice(self.general))
        return opening + phrasing.letters_steps(first, second) + closing

    def _plain(self, rng: random.Random) -> str:
        return " ".join(rng.sample(self.general, rng.randint(1, 3)))
