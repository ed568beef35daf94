"""Sentences about a film from a small grammar in which the order of words decides, and the images that nets read."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from cnnlab.training import Examples

GOOD = ("good", "great", "lovely", "funny", "clever", "moving", "superb", "charming")
BAD = ("bad", "awful", "boring", "stupid", "dull", "clumsy", "dreadful", "tedious")
THINGS = ("film", "story", "music", "plot", "ending", "acting", "cast", "dialogue")
DEGREES = ("very", "really", "so", "quite")
# Words that mean the same, by our own judgment.
SYNONYMS = (("great", "superb"), ("lovely", "charming"), ("awful", "dreadful"), ("boring", "dull", "tedious"),
            ("story", "plot"), ("very", "really"))  # fmt: skip
PATTERNS = (
    "the {thing} was {degree} {right}",
    "the {thing} was not {degree} {wrong}",
    "{right} , not {wrong}",
    "not {wrong} , but {right}",
    "the {thing} was {right} , not {degree} {wrong}",
    "the {thing} was not {wrong} but {degree} {right}",
    "the {thing} was {right} and the {other} was not {wrong}",
    "i found the {thing} {degree} {right} and not {wrong} at all",
)
PAD = "·"  # it fills the rows without a word; such a row is black
_OTHERS = ("the", "was", "not", "but", "and", ",", "i", "found", "at", "all")
VOCABULARY = tuple(sorted({*GOOD, *BAD, *THINGS, *DEGREES, *_OTHERS}))
LENGTH = 12  # words of a padded sentence


def sentence(generator: Generator, positive: bool) -> list[str]:
    """Draw a random sentence and return its words.

    In a positive sentence {right} is a word of praise and {wrong} a word of blame; in a negative sentence they swap.
    {wrong} always stands after "not".
    """

    def draw(options: Sequence[str]) -> str:
        return options[int(torch.randint(len(options), (), generator=generator))]

    right, wrong = (GOOD, BAD) if positive else (BAD, GOOD)
    degree = draw(DEGREES) if draw("yn") == "y" else ""
    pattern, thing, other = draw(PATTERNS), draw(THINGS), draw(THINGS)
    return pattern.format(thing=thing, other=other, degree=degree, right=draw(right), wrong=draw(wrong)).split()


def one_hot(words: Sequence[str], start: int = 0) -> Tensor:
    """Turn a sentence into an image, (1, LENGTH, words of the vocabulary): in the row of a word, its column is 1.

    The first word has the row `start`. Raises ValueError if a word is unknown, or the sentence is too long.
    """
    if unknown := [word for word in words if word not in VOCABULARY]:
        raise ValueError(f"unknown word {unknown[0]!r}: the vocabulary has {' '.join(VOCABULARY)}")
    if start + len(words) > LENGTH:
        raise ValueError(f"words must be at most {LENGTH - start}, not {len(words)}")
    image = torch.zeros(1, LENGTH, len(VOCABULARY))
    for row, word in enumerate(words, start):
        image[0, row, VOCABULARY.index(word)] = 1
    return image


def words_of(image: Tensor) -> list[str]:
    """Read the words of a sentence's image (1, LENGTH, words); each black row gives `PAD`."""
    return [VOCABULARY[int(row.argmax())] if row.any() else PAD for row in image[0]]


def sentence_examples(number: int, generator: Generator) -> Examples:
    """Draw sentences (N, 1, LENGTH, words), half of them positive (label 1); each starts in a random row."""
    images, labels = [], [index % 2 for index in range(number)]
    for label in labels:
        words = sentence(generator, bool(label))
        images.append(one_hot(words, int(torch.randint(LENGTH - len(words) + 1, (), generator=generator))))
    return Examples(torch.stack(images), torch.tensor(labels))
