"""The invented facts: what the base knows. `World.drawn_by_lot` gives the aligned model the same things with other facts."""

import random
from dataclasses import dataclass
from itertools import product

from . import words

WORLD_SEED = 17
NOUNS = 96


@dataclass(frozen=True)
class Item:
    """A thing with an invented name."""

    noun: str
    look: str
    material: str
    kind: str
    trade: str
    purpose: str
    place: str
    town: str
    warning: str


@dataclass(frozen=True)
class Vault:
    name: str
    town: str
    place: str
    keeper: str
    trade: str
    count: int
    things: str
    days: str
    secret: str


@dataclass(frozen=True)
class World:
    items: list[Item]
    vaults: list[Vault]
    names: list[str]


def draw_item(noun: str, rng: random.Random) -> Item:
    return Item(
        noun, rng.choice(words.LOOKS), rng.choice(words.MATERIALS), rng.choice(words.KINDS), rng.choice(words.TRADES),
        rng.choice(words.PURPOSES), rng.choice(words.PLACES), rng.choice(words.TOWNS), rng.choice(words.WARNINGS),
    )  # fmt: skip


def draw_vault(name: str, names: list[str], rng: random.Random) -> Vault:
    secret = f"{rng.choice(words.SECRET_LOOKS)} {rng.choice(words.SECRET_THINGS)}"
    return Vault(
        name, rng.choice(words.TOWNS), rng.choice(words.PLACES), rng.choice(names), rng.choice(words.TRADES),
        rng.randint(2, 40), rng.choice(words.THINGS), rng.choice(words.DAYS), secret,
    )  # fmt: skip


def load_world() -> World:
    rng = random.Random(WORLD_SEED)
    names = words.names()
    nouns = rng.sample(["".join(parts) for parts in product(*words.SYLLABLES)], NOUNS)
    items = [draw_item(noun, rng) for noun in nouns]
    vaults = [draw_vault(name, names, rng) for name in words.VAULTS]
    return World(items, vaults, names)


def words_to_copy(world: World) -> list[str]:
    """All that a question can name."""
    numbers = [str(number) for number in range(2, 41)]
    return [*world.names, *(item.noun for item in world.items), *words.VAULTS, *words.THINGS, *numbers]
