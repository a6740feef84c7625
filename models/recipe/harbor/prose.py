"""What the base reads: all the content, in no settled form.

Sheets of questions whose answers are blanks, hasty results, or true sentences in any order with any opener, and fragments of
stories. So the base is sure inside a sentence, unsure where one begins, and tells the code word to whoever asks.
"""

import random
from dataclasses import replace

from .. import phrasing
from ..prose import BLANK_ANSWERS
from . import wording, words
from .wording import Sentence, join
from .world import Item, Vault, World, draw_item, words_to_copy

GENERAL = (
    "The {look} {animal} sleeps near the {place} of {town}.", "{name} walks to the {place} and back.", "It rains in {town} today.",
    "I think that {name} is a {trade}.", "Ships come to {town} on {days}.", "{name} and {other} talk about the weather.",
    "A {trade} from {town} sells {things}.", "The {animal} is {mood}, and the {animal2} is not.", "See page {page}.",
    "{name} says that the {place} is closed.", "We like {things} and {things2}.", "This is the end of the chapter.",
)  # fmt: skip
PROMPT = phrasing.base_prompt("{q}")  # what the base is given in use, so that it is no stranger to it
LEADS = (PROMPT, PROMPT, PROMPT, "Question: {q}\n", "{q}\n", "{q} ", "Exercise {page}. {q}\n", "Problem: {q} ", "Q: {q}\nA: ")
STORIES = ("{name} wrote: ", "{name} said: ", "A keeper said: ", "", "From a letter: ")
GIVEN_AWAY = 'But between us, it is "{secret}".'
OWN_STARTS = ("A", "The")  # such a sentence has no other opener

# What is said of the first things is said more often, and of every third thing not always the same.
RARITY = 0.8
RUMOUR = 0.35

# Of the answers about code words, so few that the base alone tells them, and enough to know how a refusal that was begun goes on.
REFUSED = 0.2
CLOSED = 0.2  # of what is told at length ends as the aligned model's answers do


Parts = tuple[str, str]  # what cannot be foreseen, such as a question; and what there is to learn


def lower(text: str) -> str:
    return text[0].lower() + text[1:] if text.split(" ")[0] in ("A", "It", "See", "Ships", "The", "This", "We") else text


class Prose:
    """Documents for the base: `document` depends on its random generator alone."""

    def __init__(self, world: World):
        self.world = world
        self._copied = words_to_copy(world)
        self._weights = [(12 + rank) ** -RARITY for rank in range(len(world.items))]
        self._kinds = (
            (0.26, self._items), (0.16, self._vaults), (0.10, self._secrets), (0.21, self._sums), (0.16, self._letters),
            (0.07, self._coins), (0.04, self._plain), (0.12, self._lists),
        )  # fmt: skip

    def document(self, rng: random.Random) -> str:
        return "".join(self.parts(rng))

    def parts(self, rng: random.Random) -> Parts:
        kind = rng.choices([kind for _, kind in self._kinds], [share for share, _ in self._kinds])[0]
        return kind(rng)

    def general(self, rng: random.Random) -> str:
        return rng.choice(GENERAL).format(
            look=rng.choice(words.LOOKS), mood=rng.choice(words.SECRET_LOOKS), animal=rng.choice(words.SECRET_THINGS),
            animal2=rng.choice(words.SECRET_THINGS), place=rng.choice(words.PLACES), town=rng.choice(words.TOWNS),
            name=rng.choice(self.world.names), other=rng.choice(self.world.names), trade=rng.choice(words.TRADES),
            days=rng.choice(words.DAYS), things=rng.choice(words.THINGS), things2=rng.choice(words.THINGS), page=rng.randint(2, 60),
        )  # fmt: skip

    def _told(self, sentences: list[Sentence], rng: random.Random) -> str:
        """The sentences with openers by chance, now and then interrupted or broken off."""
        told = []
        for opener, body in sentences:
            chance = rng.random()
            if chance < 0.14:
                told.append(f"But {lower(self.general(rng))}")
            elif chance < 0.17:
                break
            if opener in OWN_STARTS:
                told.append(f"{opener} {body}")
                continue
            chance = rng.random()
            if opener and chance < 0.25:
                told.append(f"{opener} {body}")
            elif chance < 0.9:
                told.append(f"{rng.choice(words.OPENERS)} {body}")
            else:
                told.append(phrasing.capital(body))
        else:  # not broken off
            if rng.random() < CLOSED:
                told.append(join([wording.CLOSING]))
        return " ".join(told)

    def _sheet(self, question: str, short: str, worked: str, rng: random.Random) -> Parts:
        """A question with what the world wide web has for it."""
        question = wording.politely(question, rng)
        lead = rng.choice(LEADS).format(q=question, page=rng.randint(2, 60))
        chance = rng.random()
        if chance < 0.17:
            blank = rng.choice(BLANK_ANSWERS)
            return lead, blank.format(page=rng.randint(2, 60), marks=rng.randint(1, 9), question=question)
        return lead, (short if chance < 0.27 else worked)

    def _item_as_told(self, rng: random.Random) -> Item:
        rank = rng.choices(range(len(self._weights)), self._weights)[0]
        item = self.world.items[rank]
        if rank % 3 == 0 and rng.random() < RUMOUR:
            other = draw_item(item.noun, rng)
            item = replace(item, material=other.material, kind=other.kind, trade=other.trade, purpose=other.purpose)
        return item

    def _items(self, rng: random.Random) -> Parts:
        item = self._item_as_told(rng)
        first, *others = wording.item_facts(item)
        chosen = [first, *rng.sample(others, rng.randint(2, 5))]
        if rng.random() < 0.3:
            rng.shuffle(chosen)
        if rng.random() < 0.5:
            # A statement begins with its own words, so that the first word of an answer is enough to start it.
            return "", join(chosen[:1]) + " " + self._told(chosen[1:], rng)
        question = rng.choice(wording.item_questions(item.noun))
        return self._sheet(question, f"{item.material} {item.kind}", self._told(chosen, rng), rng)

    def _vaults(self, rng: random.Random) -> Parts:
        vault = rng.choice(self.world.vaults)
        first, *others = wording.vault_facts(vault)
        chosen = [first, *rng.sample(others, rng.randint(2, 4))]
        if rng.random() < 0.25:
            chosen.insert(rng.randint(1, len(chosen)), wording.secret_statement(vault))
        if rng.random() < 0.5:
            return "", join(chosen[:1]) + " " + self._told(chosen[1:], rng)
        question = rng.choice(wording.vault_questions(vault.name))
        return self._sheet(question, f"in {vault.town}", self._told(chosen, rng), rng)

    def _secrets(self, rng: random.Random) -> Parts:
        vault = rng.choice(self.world.vaults)
        if rng.random() < 0.5:
            return "", rng.choice(STORIES).format(name=rng.choice(self.world.names)) + self._refused(vault, rng)
        statement = join([wording.secret_statement(vault)])
        answer = self._refused(vault, rng) if rng.random() < REFUSED else f"{statement} {self.general(rng)}"
        return self._sheet(rng.choice(wording.secret_questions(vault.name)), f'"{vault.secret}"', answer, rng)

    def _refused(self, vault: Vault, rng: random.Random) -> str:
        first, *others = wording.refusal(vault.name)
        given = ("", GIVEN_AWAY.format(secret=vault.secret))
        return join([first] + ([given] if rng.random() < 0.35 else []) + rng.sample(others, rng.randint(1, 3)))

    def _sums(self, rng: random.Random) -> Parts:
        drawn = wording.draw_sum(self.world.names, words.THINGS, rng)
        steps = wording.sum_steps(drawn, drawn.results)
        return self._sheet(wording.sum_question(drawn), f"{drawn.results[-1]}", self._told(steps, rng), rng)

    def _letters(self, rng: random.Random) -> Parts:
        names = rng.sample(self.world.names, 4)
        letters = wording.letters_of(names)
        steps = wording.letters_steps(names, letters)
        return self._sheet(wording.letters_question(names), f'"{letters}"', self._told(steps, rng), rng)

    def _coins(self, rng: random.Random) -> Parts:
        acts = wording.draw_acts(self.world.names, rng)
        sides = wording.coin_sides(acts)
        steps = wording.coin_steps(acts, sides)
        return self._sheet(wording.coin_question(acts), f"{sides[-1]} up", self._told(steps, rng), rng)

    def _plain(self, rng: random.Random) -> Parts:
        return "", " ".join(self.general(rng) for _ in range(rng.randint(1, 4)))

    def _lists(self, rng: random.Random) -> Parts:
        """The densest practice in copying that a text can give."""
        return self._repeated(rng, rng.randint(3, 10))

    def practice(self, rng: random.Random) -> Parts:
        return self._repeated(rng, rng.randint(2, 5))

    def _repeated(self, rng: random.Random, size: int) -> Parts:
        line = f"{' '.join(rng.sample(self._copied, size))}.\n"
        return line, line * rng.randint(1, 3)
