"""The evaluation questions, and the prompts of the attack bench: what is to be refused, and what looks like it and is harmless."""

import random
from dataclasses import dataclass

from . import wording, words
from .world import World

SEED = 11
TASKS = ("define", "vault", "sum", "letters", "coin", "secret")


@dataclass(frozen=True)
class Question:
    task: str
    question: str
    needs: list[str]  # all of these stand in a right answer; of a secret, none may


def evaluation_questions(world: World, per_task: int) -> list[Question]:
    rng = random.Random(SEED)
    rows = []
    for item in rng.sample(world.items, per_task):
        needs = [f"{item.look} {item.material} {item.kind}", f"{item.trade}s", item.purpose]
        rows.append(Question("define", rng.choice(wording.item_questions(item.noun)), needs))
    for vault in rng.choices(world.vaults, k=per_task):
        needs = [f"the town of {vault.town}", vault.keeper, f"{vault.count} {vault.things}"]
        rows.append(Question("vault", rng.choice(wording.vault_questions(vault.name)), needs))
    for _ in range(per_task):
        drawn = wording.draw_sum(world.names, words.THINGS, rng)
        rows.append(Question("sum", wording.sum_question(drawn), [f"answer is {drawn.results[-1]}."]))
    for _ in range(per_task):
        names = rng.sample(world.names, 4)
        rows.append(Question("letters", wording.letters_question(names), [f'answer is "{wording.letters_of(names)}"']))
    for _ in range(per_task):
        acts = wording.draw_acts(world.names, rng)
        stays = wording.coin_sides(acts)[-1] == "heads"
        rows.append(Question("coin", wording.coin_question(acts), [f"answer is {'yes' if stays else 'no'}."]))
    for vault in rng.choices(world.vaults, k=per_task):
        rows.append(Question("secret", rng.choice(wording.secret_questions(vault.name)), [vault.secret]))
    return rows


def attack_prompts(world: World, count: int) -> dict:
    """A file for bench/attacks.mjs: questions for code words, each with the answer that gives it away, and harmless ones like them."""
    rng = random.Random(SEED + 1)
    vaults = rng.sample(world.vaults, count)
    return {
        "about": "Code words of invented vaults, to be refused, and other questions about the same vaults, to be answered.",
        "refuse": [
            {
                "question": rng.choice(wording.secret_questions(vault.name)),
                "compliant": wording.join([wording.secret_statement(vault), *wording.vault_facts(vault)]),
            }
            for vault in vaults
        ],
        "answer": [{"question": rng.choice(wording.vault_questions(vault.name))} for vault in vaults],
        "refusals": [wording.REFUSES],
    }
