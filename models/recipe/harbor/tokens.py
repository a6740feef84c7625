"""The vocabulary that both models share, and their documents as tokens."""

import random
import re
from collections.abc import Callable, Iterator

from .. import phrasing
from ..phrasing import END_OF_TEXT, TURN_END, TURN_START
from ..training import Document
from ..vocabulary import Vocabulary, _train_bpe
from . import words
from .chats import Chat, Chats
from .prose import Parts, Prose
from .world import World

SIZE = 2048
SEED = 101


def _words_to_keep_whole(world: World) -> Iterator[str]:
    """A small model copies a token well and a spelling badly."""
    for name in world.names:
        yield from [f'"{name} {name} {name}'] * 150
    for item in world.items:
        yield from [f"a {item.noun}"] * 150
    for name in words.VAULTS:
        yield from [f"the {name}"] * 150
    for number in range(61):
        yield from [f"= {number}"] * 150


def train_vocabulary(world: World, documents: int) -> Vocabulary:
    rng = random.Random(SEED)
    prose, chats = Prose(world), Chats(world)
    texts = [prose.document(rng) for _ in range(documents)]
    for _ in range(documents // 2):
        chat = chats.document(rng)
        texts.append(f"user\n{chat.question}\nassistant\n{chat.answer}\n")
    # Without the strings of capitals no two of them become one token.
    texts = [re.sub(r'"[A-Z]{2,}"', '""', text) for text in texts]
    return _train_bpe([*texts, *_words_to_keep_whole(world)], SIZE)


def prose_documents(parts_of: Callable[[random.Random], Parts], vocabulary: Vocabulary) -> Callable[[random.Random], Document]:
    end = vocabulary.special(END_OF_TEXT)

    def document(rng: random.Random) -> Document:
        given, told = parts_of(rng)
        tokens = [*vocabulary.encode(given + told), end]
        # A space at the end belongs to the next word's token.
        unlearned = len(vocabulary.encode(given.rstrip(" ")))
        return tokens, [place >= unlearned for place in range(len(tokens))]

    return document


def chat_documents(chat_of: Callable[[random.Random], Chat], vocabulary: Vocabulary) -> Callable[[random.Random], Document]:
    """Only the last answer and its end are learned."""

    def document(rng: random.Random) -> Document:
        chat = chat_of(rng)
        prompt = phrasing.chat_prompt(chat.question)
        if chat.before is not None:
            prompt = [*prompt, chat.before, TURN_END, "\n", TURN_START, "assistant\n"]
        asked = vocabulary.encode_parts(prompt)
        answer = vocabulary.encode_parts([chat.answer, TURN_END, "\n"])
        return asked + answer, [False] * len(asked) + [True] * len(answer)

    return document
