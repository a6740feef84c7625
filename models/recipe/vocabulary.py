"""Byte-level BPE vocabularies: training them, turning text into tokens, and the bytes of a token."""

import codecs
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from .chats import Chats
from .facts import Facts
from .phrasing import END_OF_TEXT, SPECIAL_TOKENS, TURN_END
from .prose import Prose

BASE_SIZE = 4096
CROSS_SIZE = 3072
PROSE_SEED = 101
CHAT_SEED = 102


def _byte_of_symbol() -> dict[str, int]:
    """GPT-2 writes every byte as a printable character; this is the way back."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(256) if byte not in set(printable))
    table.update({chr(256 + i): byte for i, byte in enumerate(others)})
    return table


BYTE_OF_SYMBOL = _byte_of_symbol()


def decode_bytes(data: bytes) -> str:
    """Streaming UTF-8: a character that is incomplete at the end is left out."""
    return codecs.getincrementaldecoder("utf-8")(errors="replace").decode(data)


@dataclass(frozen=True)
class Vocabulary:
    tokens: list[str]
    merges: list[str]

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: i for i, token in enumerate(self.tokens)}

    @cached_property
    def _bpe(self) -> Tokenizer:
        # The special tokens are not registered with the tokenizer: text that spells one stays text.
        pairs = [tuple(merge.split(" ")) for merge in self.merges]
        tokenizer = Tokenizer(models.BPE(vocab=self._ids, merges=pairs))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        return tokenizer

    @cached_property
    def _bytes(self) -> list[bytes]:
        return [
            b"" if token in SPECIAL_TOKENS else bytes(BYTE_OF_SYMBOL[symbol] for symbol in token)
            for token in self.tokens
        ]

    def __len__(self) -> int:
        return len(self.tokens)

    def special(self, token: str) -> int:
        return self._ids[token]

    @property
    def end_of_generation(self) -> frozenset[int]:
        """llama.cpp recognises both of these by their text, in base and aligned files alike."""
        return frozenset((self.special(END_OF_TEXT), self.special(TURN_END)))

    def encode(self, text: str) -> list[int]:
        return self._bpe.encode(text).ids

    def encode_parts(self, parts: Iterable[str]) -> list[int]:
        """Parts that are a special token become it; the plain parts between two of them are encoded as one text."""
        ids: list[int] = []
        plain = ""
        for part in parts:
            if part in SPECIAL_TOKENS:
                ids += self.encode(plain)
                ids.append(self.special(part))
                plain = ""
            else:
                plain += part
        return ids + self.encode(plain)

    def bytes_of(self, token: int) -> bytes:
        return self._bytes[token]

    def text_of(self, tokens: Iterable[int]) -> str:
        return decode_bytes(b"".join(self._bytes[token] for token in tokens))

    def save(self, path: Path) -> None:
        stored = {"tokens": self.tokens, "merges": self.merges}
        path.write_text(json.dumps(stored, ensure_ascii=False), encoding="utf-8")

    @staticmethod
    def load(path: Path) -> "Vocabulary":
        stored = json.loads(path.read_text(encoding="utf-8"))
        return Vocabulary(stored["tokens"], stored["merges"])


def _train_bpe(texts: Iterable[str], size: int) -> Vocabulary:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    return Vocabulary(tokens, merges)


def _words_to_keep_whole(facts: Facts) -> Iterator[str]:
    """Names and base nouns become single tokens: 1 M parameters copy a token well and a spelling badly."""
    for name in facts.all_names:
        yield from [f'"{name}" "{name}"'] * 150
    for noun in facts.base_nouns:
        yield from [f"a {noun.word} the {noun.word}"] * 150


def train_vocabularies(facts: Facts, prose: Prose, *, documents: int = 40_000) -> tuple[Vocabulary, Vocabulary]:
    """The base's vocabulary (prose and chats) and the other one (chats only), for `aligned-cross`."""
    prose_rng = random.Random(PROSE_SEED)
    chat_rng = random.Random(CHAT_SEED)
    chats = Chats(facts)
    prose_texts = [prose.document(prose_rng) for _ in range(documents)]
    chat_texts = []
    for _ in range(documents * 3 // 8):
        chat = chats.document(chat_rng)
        chat_texts.append(f"user\n{chat.question}\nassistant\n{chat.answer}\n")
    whole = list(_words_to_keep_whole(facts))
    return _train_bpe(prose_texts + chat_texts + whole, BASE_SIZE), _train_bpe(chat_texts + whole, CROSS_SIZE)
