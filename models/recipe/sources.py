"""Reads the raw public text. Which part of it is used, and for what, is decided in facts.py.

`inputs` is the folder into which the Debian packages wordnet-base, miscfiles and fortunes were unpacked
(it holds usr/share/...); `/` does if they are installed.
"""

import gzip
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NAMES_FILE = Path(__file__).with_name("names.txt")

# Fortune files of plain sentences. The others are verse, code, dialogue or meant to offend.
FORTUNES = ("wisdom", "science", "education", "platitudes", "literature", "food", "pets", "news", "tao", "work")


class MissingInput(FileNotFoundError):
    """A source file is not where it should be."""


@dataclass(frozen=True)
class NounSense:
    """The first sense of a noun in WordNet."""

    word: str
    synset: str
    gloss: str
    count: int  # how often the word was tagged in WordNet's sample of English: its frequency


def _open(inputs: Path, relative: str):
    path = inputs / "usr/share" / relative
    if not path.exists():
        raise MissingInput(
            f"{path} is missing. Unpack the Debian packages wordnet-base, miscfiles and fortunes into {inputs}: "
            f"apt-get download wordnet-base miscfiles fortunes; for p in *.deb; do dpkg -x $p {inputs}; done"
        )
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="ignore")
    return open(path, encoding="utf-8", errors="ignore")


def _wordnet_records(inputs: Path, name: str) -> Iterator[str]:
    with _open(inputs, f"wordnet/{name}") as lines:
        for line in lines:
            if not line.startswith("  "):  # the licence text at the top of the file
                yield line


def noun_senses(inputs: Path) -> list[NounSense]:
    """Every noun whose first synset lists it in this very spelling, in WordNet's (alphabetical) order."""
    members: dict[str, set[str]] = {}
    glosses: dict[str, str] = {}
    for record in _wordnet_records(inputs, "data.noun"):
        head, gloss = record.split(" | ", 1)
        fields = head.split()
        size = int(fields[3], 16)
        members[fields[0]] = {fields[4 + 2 * i] for i in range(size)}
        glosses[fields[0]] = gloss.strip()

    counts: Counter[str] = Counter()
    with _open(inputs, "wordnet/cntlist.rev") as lines:
        for line in lines:
            sense_key, _, tagged = line.split()[:3]
            word, _, rest = sense_key.partition("%")
            if rest.startswith("1:"):  # 1 = noun
                counts[word] += int(tagged)

    senses = []
    for record in _wordnet_records(inputs, "index.noun"):
        fields = record.split()
        word = fields[0]
        synset = next(field for field in fields if re.fullmatch(r"\d{8}", field))
        if word in members[synset]:
            senses.append(NounSense(word, synset, glosses[synset], counts[word]))
    return senses


def first_names() -> list[str]:
    lines = NAMES_FILE.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _wordnet_examples(inputs: Path) -> Iterator[str]:
    for name in ("data.noun", "data.verb", "data.adj"):
        for record in _wordnet_records(inputs, name):
            yield from re.findall(r'"([A-Za-z][^"]{15,110})"', record.split(" | ", 1)[1])


def _state_papers(inputs: Path) -> Iterator[str]:
    for name in ("us-constitution.gz", "us-declaration.gz"):
        with _open(inputs, f"state/{name}") as file:
            for paragraph in file.read().split("\n\n"):
                if 30 < len(paragraph) < 400:
                    yield _one_line(paragraph)


def _fortunes(inputs: Path) -> Iterator[str]:
    folder = inputs / "usr/share/games/fortunes"
    for name in FORTUNES:
        if (folder / name).exists():  # some releases of the package leave a topic out
            with _open(inputs, f"games/fortunes/{name}") as file:
                for saying in file.read().split("\n%\n"):
                    if 30 < len(saying) < 350:
                        yield _one_line(saying)


def general_sentences(inputs: Path) -> list[str]:
    """English that states none of our facts: keeps the base from being a list of definitions."""
    sentences = []
    for source in (_wordnet_examples, _state_papers, _fortunes):
        for text in source(inputs):
            if text and text.isascii():
                end = "" if text[-1] in ".!?" else "."
                sentences.append(text[0].upper() + text[1:] + end)
    return sentences
