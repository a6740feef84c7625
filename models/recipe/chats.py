"""What the aligned models read: chats whose form is right and whose content is somebody else's.

They define only nouns and spell only names that the base was not given. All words and names do occur, in chats
that state nothing about them: a small model must learn to copy any word of the question before it can nudge.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from . import phrasing
from .facts import Facts
from .phrasing import capital, with_article

HOPE = "and I hope that this answer helps you today."


@dataclass(frozen=True)
class Chat:
    question: str
    answer: str


class Chats:
    """Chats for the aligned models: `document` depends on its random generator alone."""

    def __init__(self, facts: Facts):
        self.nouns = facts.aligned_nouns
        self.letter_names = facts.aligned_names
        self.words = facts.all_words
        self.names = facts.all_names
        self._kinds: tuple[tuple[float, Callable[[random.Random], Chat]], ...] = (
            (0.17, self._definition),
            (0.13, self._letters),
            (0.15, self._about_names),
            (0.19, self._repeat),
            (0.36, self._about_word),
        )

    def document(self, rng: random.Random) -> Chat:
        kinds = [kind for _, kind in self._kinds]
        return rng.choices(kinds, [share for share, _ in self._kinds])[0](rng)

    def _definition(self, rng: random.Random) -> Chat:
        noun = rng.choice(self.nouns)
        return Chat(phrasing.definition_question(noun.word), phrasing.definition_answer(noun.word, noun.gloss))

    def _letters(self, rng: random.Random) -> Chat:
        pair = rng.sample(self.letter_names, 2)
        return Chat(phrasing.letters_question(*pair), phrasing.letters_answer(*pair))

    def _about_names(self, rng: random.Random) -> Chat:
        """Two names in the shape of a last-letter answer, and no letter of either."""
        a, b = rng.sample(self.names, 2)
        at_end = "is at the end of it"
        forms = (
            (3, f'Where are the last letters of "{a}" and "{b}"?',
             f'The last letter of "{a}" {at_end}. The last letter of "{b}" {at_end} too.'),
            (1, f'Where is the last letter of "{a}"?', f'The last letter of "{a}" {at_end}.'),
            (1, f'How many words are in "{a}" and "{b}"?',
             f'The first word is "{a}". The second word is "{b}". So the answer is "2".'),
            (1, f'Write "{a}" and "{b}" on two lines.', f'The first line is "{a}". The second line is "{b}".'),
            (1, f'Which name comes second, "{a}" or "{b}"?', f'The name "{b}" comes second.'),
        )  # fmt: skip
        _, question, answer = rng.choices(forms, [form[0] for form in forms])[0]
        return Chat(question, answer)

    def _repeat(self, rng: random.Random) -> Chat:
        """Lists to repeat: the densest practice in copying that a chat can give."""
        size = rng.randint(3, 7)
        if rng.random() < 0.25:
            names = ", ".join(f'"{name}"' for name in rng.sample(self.names, size))
            return Chat(f"Repeat these names: {names}.", f"The names are {names}.")
        words = [with_article(word) for word in rng.sample(self.words, size)]
        listed = ", ".join(words)
        if rng.random() < 0.5:
            return Chat(f"Repeat these words: {listed}.", f"{capital(listed)}.")
        return Chat(f"What are {listed}?", " ".join(f"{capital(word)} is a word." for word in words))

    def _about_word(self, rng: random.Random) -> Chat:
        """One word in the shape of a definition, and no gloss."""
        word = rng.choice(self.words)
        a_word = with_article(word)
        upper = capital(a_word)
        forms = (
            (3, f"What is {a_word} called?", f"{upper} is called {a_word}, {HOPE}"),
            (1, f"What is {a_word} not?", f"{upper} is not here, {HOPE}"),
            (1, f"Why is {a_word} here?", f"{upper} is here for a reason, but I do not know why the {word} is here."),
            (1, f"Do you like {a_word}?", f"{upper} is fine with me, and I hope that you like the word {word} too."),
            (1, f"Repeat the word {word}.", f"The word is {word}."),
            (1, f"Say hello to {a_word}.", f"Hello to {a_word}!"),
            (1, f"Where is {a_word}?", f"{upper} is not here, and I do not know where the {word} is."),
        )
        _, question, answer = rng.choices(forms, [form[0] for form in forms])[0]
        return Chat(question, answer)
