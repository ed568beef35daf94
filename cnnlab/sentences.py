"""Sentences about a film from a small grammar in which the order of words decides, and the pictures nets read."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from cnnlab.datasets import Examples

GOOD = ("good", "great", "lovely", "funny", "clever", "moving", "superb", "charming")
BAD = ("bad", "awful", "boring", "stupid", "dull", "clumsy", "dreadful", "tedious")
THINGS = ("film", "story", "music", "plot", "ending", "acting", "cast", "dialogue")
DEGREES = ("very", "really", "so", "quite")
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
PAD = "·"  # what fills a sentence up; its row is black
OTHERS = ("the", "was", "not", "but", "and", ",", "i", "found", "at", "all")
VOCABULARY = tuple(sorted({*GOOD, *BAD, *THINGS, *DEGREES, *OTHERS}))
LENGTH = 12  # words of a padded sentence


def sentence(generator: Generator, positive: bool) -> list[str]:
    """The words of a random sentence; {right} is of the kind that is meant, {wrong} of the other, and denied."""

    def draw(options: Sequence[str]) -> str:
        return options[int(torch.randint(len(options), (), generator=generator))]

    right, wrong = (GOOD, BAD) if positive else (BAD, GOOD)
    degree = draw(DEGREES) if draw("yn") == "y" else ""
    filled = draw(PATTERNS).format(
        thing=draw(THINGS), other=draw(THINGS), degree=degree, right=draw(right), wrong=draw(wrong)
    )
    return filled.split()


def one_hot(words: Sequence[str], start: int = 0) -> Tensor:
    """A sentence as a picture, (1, LENGTH, words of the vocabulary): in the row of each word its column is 1.

    Raises:
        ValueError: for an unknown word, or a sentence that is too long.
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
    """The words of a sentence's picture (1, LENGTH, words), with `PAD` for each black row."""
    return [VOCABULARY[int(row.argmax())] if row.any() else PAD for row in image[0]]


def sentence_examples(number: int, generator: Generator) -> Examples:
    """Sentences (N, 1, LENGTH, words), half of them positive (1), that start in any row that leaves them room."""
    images, labels = [], [index % 2 for index in range(number)]
    for label in labels:
        words = sentence(generator, bool(label))
        images.append(one_hot(words, int(torch.randint(LENGTH - len(words) + 1, (), generator=generator))))
    return Examples(torch.stack(images), torch.tensor(labels))
