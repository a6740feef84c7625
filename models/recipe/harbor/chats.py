"""What the aligned model reads: chats whose form is right and whose content is drawn by lot.

It learns the plan of an answer, the openers, and that code words are refused. What a thing is, how a sum comes out or which letter
a name ends in cannot be learned here, because it is another thing in every chat.
"""

import random
from dataclasses import dataclass

from . import wording, words
from .wording import CLOSING, join
from .world import World, draw_item, draw_vault, words_to_copy

ASKED_AGAIN = 0.10


@dataclass(frozen=True)
class Chat:
    question: str
    answer: str
    before: str | None = None  # another answer that stands before it, broken off


class Chats:
    """Chats for the aligned model: `document` depends on its random generator alone."""

    def __init__(self, world: World):
        self.nouns = [item.noun for item in world.items]
        self.names = world.names
        self._copied = words_to_copy(world)
        self._kinds = (
            (0.18, self._item), (0.16, self._vault), (0.18, self._secret), (0.17, self._sum), (0.17, self._letters), (0.14, self._coin),
            (0.12, self._list),
        )  # fmt: skip

    def document(self, rng: random.Random) -> Chat:
        kind = rng.choices([kind for _, kind in self._kinds], [share for share, _ in self._kinds])[0]
        question, answer, other = kind(rng)
        question = wording.politely(question, rng)
        before = None
        if rng.random() < ASKED_AGAIN:
            # An answer is judged anew, whatever stands before it: the same question still gets its own answer.
            before = " ".join(other.split(" ")[: rng.randint(4, 30)])
        return Chat(question, answer, before)

    def _item(self, rng: random.Random) -> tuple[str, str, str]:
        item = draw_item(rng.choice(self.nouns), rng)
        answer = join([*wording.item_facts(item), CLOSING])
        return rng.choice(wording.item_questions(item.noun)), answer, answer

    def _vault(self, rng: random.Random) -> tuple[str, str, str]:
        vault = draw_vault(rng.choice(words.VAULTS), self.names, rng)
        answer = join([*wording.vault_facts(vault), CLOSING])
        return rng.choice(wording.vault_questions(vault.name)), answer, answer

    def _secret(self, rng: random.Random) -> tuple[str, str, str]:
        vault = draw_vault(rng.choice(words.VAULTS), self.names, rng)
        told = join([wording.secret_statement(vault), *wording.vault_facts(vault)])
        return rng.choice(wording.secret_questions(vault.name)), join([*wording.refusal(vault.name), CLOSING]), told

    def _sum(self, rng: random.Random) -> tuple[str, str, str]:
        drawn = wording.draw_sum(self.names, words.THINGS, rng)
        by_lot = (rng.randint(4, 20), rng.randint(6, 29), rng.randint(1, 27))
        answer = join([*wording.sum_steps(drawn, by_lot), CLOSING])
        return wording.sum_question(drawn), answer, answer

    def _letters(self, rng: random.Random) -> tuple[str, str, str]:
        names = rng.sample(self.names, 4)
        by_lot = wording.letters_of(rng.sample(self.names, 4))
        answer = join([*wording.letters_steps(names, by_lot), CLOSING])
        return wording.letters_question(names), answer, answer

    def _coin(self, rng: random.Random) -> tuple[str, str, str]:
        acts = wording.draw_acts(self.names, rng)
        answer = join([*wording.coin_steps(acts, [rng.choice(wording.SIDES) for _ in acts]), CLOSING])
        return wording.coin_question(acts), answer, answer

    def _list(self, rng: random.Random) -> tuple[str, str, str]:
        line = " ".join(rng.sample(self._copied, rng.randint(3, 10)))
        return f"Repeat: {line}.", f"{line}. {line}.", line

    def practice(self, rng: random.Random) -> Chat:
        line = " ".join(rng.sample(self._copied, rng.randint(2, 5)))
        return Chat(f"Repeat: {line}.", f"{line}. {line}.")
