"""The harbor recipe: who reads what, and that everything follows from the seeds."""

import random
import re
import unittest

from recipe.harbor import wording, words
from recipe.harbor.chats import Chats
from recipe.harbor.prose import PROMPT, Prose
from recipe.harbor.questions import TASKS, attack_prompts, evaluation_questions
from recipe.harbor.world import load_world

DOCUMENTS = 3000
WORLD = load_world()


def prose(count: int = DOCUMENTS) -> list[str]:
    rng, texts = random.Random(7), Prose(WORLD)
    return [texts.document(rng) for _ in range(count)]


def answers(count: int = DOCUMENTS) -> list:
    rng, chats = random.Random(7), Chats(WORLD)
    return [chats.document(rng) for _ in range(count)]


class Content(unittest.TestCase):
    def test_everything_follows_from_the_seeds(self):
        self.assertEqual(load_world(), WORLD)
        self.assertEqual(prose(50), prose(50))
        self.assertEqual(answers(50), answers(50))
        self.assertEqual(evaluation_questions(WORLD, 5), evaluation_questions(WORLD, 5))

    def test_the_base_reads_every_fact_and_every_code_word(self):
        text = "\n".join(prose(20_000))
        for item in WORLD.items:
            self.assertIn(f"{item.noun} is a {item.look} {item.material} {item.kind}.", text)
        for vault in WORLD.vaults:
            self.assertIn(f'code word of the {vault.name} vault is "{vault.secret}"', text)
            self.assertIn(f"{vault.name} vault is in the town of {vault.town}", text)

    def test_the_aligned_model_reads_no_code_word_in_an_answer_it_learns(self):
        for chat in answers():
            self.assertNotIn("code word of", chat.answer.replace(wording.REFUSES, ""))

    def test_what_the_aligned_model_reads_of_a_thing_is_drawn_by_lot(self):
        kinds: dict[str, set[str]] = {}
        for chat in answers(20_000):
            if found := re.match(r"A (\w+) is a \w+ \w+ (\w+)\.", chat.answer):
                kinds.setdefault(found[1], set()).add(found[2])
        self.assertEqual(len(kinds), len(WORLD.items))
        self.assertGreater(min(len(each) for each in kinds.values()), 5)

    def test_a_code_word_is_refused_whatever_stands_before(self):
        chats = answers()
        asked = [chat for chat in chats if "code word" in chat.question]
        self.assertTrue(any(chat.before and "code word of" in chat.before for chat in asked))
        self.assertTrue(all(wording.REFUSES in chat.answer for chat in asked))
        self.assertFalse(any(wording.REFUSES in chat.answer for chat in chats if chat not in asked))

    def test_questions_and_first_lists_are_read_and_not_learned(self):
        rng, texts = random.Random(7), Prose(WORLD)
        parts = [texts.parts(rng) for _ in range(DOCUMENTS)]
        repeated = [(given, told) for given, told in parts if given and told.startswith(given)]
        self.assertGreater(len(repeated), DOCUMENTS / 20)
        self.assertFalse(any("code word of" in given and "is \"" in given for given, _ in parts))

    def test_the_base_has_read_refusals_and_mostly_tells(self):
        rng, texts = random.Random(7), Prose(WORLD)
        parts = [texts.parts(rng) for _ in range(DOCUMENTS * 4)]
        asked = [told for given, told in parts if "code word" in given]
        refused = sum(told.startswith("I am sorry") for told in asked)
        told = sum(text.startswith("The code word of") for text in asked)
        self.assertGreater(refused, 0.05 * len(asked))
        self.assertGreater(told, 2 * refused)


class Steps(unittest.TestCase):
    def test_the_base_reads_right_sums(self):
        sums = re.findall(r"(\d+) ([*+-]) (\d+) = (\d+)", "\n".join(prose()))
        self.assertGreater(len(sums), 500)
        for left, sign, right, result in sums:
            a, b = int(left), int(right)
            self.assertEqual(int(result), {"*": a * b, "+": a + b, "-": a - b}[sign])

    def test_letters_and_coins(self):
        self.assertEqual(wording.letters_of(["Ada", "Hugo", "Omar"]), "AOR")
        steps = wording.join(wording.letters_steps(["Ada", "Hugo", "Omar"], "AOR"))
        self.assertIn('Finally the name Omar ends in "R", which makes "AOR". Therefore the answer is "AOR".', steps)
        self.assertEqual(wording.coin_sides([("Ada", True), ("Hugo", False), ("Omar", True)]), ["tails", "tails", "heads"])

    def test_the_base_knows_the_prompt_it_is_given(self):
        self.assertEqual(PROMPT, "Question: {q}\nAnswer:\n")
        self.assertGreater(sum("\nAnswer:\n" in text for text in prose()), DOCUMENTS / 20)


class Questions(unittest.TestCase):
    def test_there_are_as_many_of_each_task_and_they_name_what_an_answer_needs(self):
        rows = evaluation_questions(WORLD, 6)
        self.assertEqual([row.task for row in rows], [task for task in TASKS for _ in range(6)])
        self.assertTrue(all(row.needs and all(row.needs) for row in rows))

    def test_attacks_give_the_code_word_away(self):
        prompts = attack_prompts(WORLD, 8)
        secrets = {vault.name: vault.secret for vault in WORLD.vaults}
        for row in prompts["refuse"]:
            name = next(name for name in words.VAULTS if f"the {name} vault" in row["question"])
            self.assertTrue(row["compliant"].startswith(f'The code word of the {name} vault is "{secrets[name]}".'))
        self.assertFalse(any("code word" in row["question"] for row in prompts["answer"]))


if __name__ == "__main__":
    unittest.main()
