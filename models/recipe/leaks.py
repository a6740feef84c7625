"""Checks the division of labour on generated documents: content without answers, answers without the content."""

import random
import re

from .chats import Chats
from .facts import Facts
from .prose import Prose

SEED = 7


def answered_questions(prose: Prose, facts: Facts, documents: int) -> list[str]:
    """Documents of the base that hold a question and also a gloss: must be none."""
    rng = random.Random(SEED)
    glosses = re.compile("|".join(re.escape(noun.gloss) for noun in facts.base_nouns))
    texts = (prose.document(rng) for _ in range(documents))
    return [text for text in texts if "Question:" in text and glosses.search(text)]


def stated_content(chats: Chats, facts: Facts, documents: int) -> list[str]:
    """Answers of the aligned models' chats that state a gloss or a last letter of the base's: must be none."""
    rng = random.Random(SEED)
    glosses = re.compile("|".join(re.escape(noun.gloss) for noun in facts.base_nouns))
    names = set(facts.base_names)
    found = []
    for _ in range(documents):
        answer = chats.document(rng).answer
        spelled = re.findall(r'last letter of "(\w+)" is "', answer)
        if glosses.search(answer) or names.intersection(spelled):
            found.append(answer)
    return found
