"""The grammar's labels agree with an independent rule; sentences become images and back."""

import pytest
import torch
from torch import Generator

from cnnlab.chapters.ch16_sentences import (
    BAD,
    DEGREES,
    GOOD,
    LENGTH,
    PAD,
    PATTERNS,
    SYNONYMS,
    THINGS,
    VOCABULARY,
    one_hot,
    sentence,
    sentence_examples,
    words_of,
)


def opinions(words: list[str]) -> set[bool]:
    """What each word of praise or blame says, turned where "not" stands before it or before its degree."""
    found = set()
    for position, word in enumerate(words):
        if word in GOOD or word in BAD:
            before = [w for w in words[:position] if w not in DEGREES]
            denied = bool(before) and before[-1] == "not"
            found.add((word in GOOD) != denied)
    return found


def test_every_word_of_a_sentence_says_what_its_label_says() -> None:
    generator = Generator().manual_seed(0)
    for number in range(400):
        positive = number % 3 == 0
        assert opinions(sentence(generator, positive)) == {positive}


def test_half_of_the_patterns_need_the_order() -> None:
    both = [pattern for pattern in PATTERNS if "{right}" in pattern and "{wrong}" in pattern]
    assert len(both) >= len(PATTERNS) / 2
    good = ["good", ",", "not", "bad"]
    bad = ["bad", ",", "not", "good"]
    assert sorted(good) == sorted(bad)  # one bag of words
    assert opinions(good) == {True}
    assert opinions(bad) == {False}


def test_synonyms_are_words_of_one_kind() -> None:
    for synonyms in SYNONYMS:
        assert sum(set(synonyms) <= set(kind) for kind in (GOOD, BAD, DEGREES, THINGS)) == 1
    assert len({word for synonyms in SYNONYMS for word in synonyms}) == sum(map(len, SYNONYMS))


def test_a_picture_gives_its_words_back() -> None:
    words = ["the", "film", "was", "not", "bad"]
    image = one_hot(words, start=3)
    assert image.shape == (1, LENGTH, len(VOCABULARY))
    assert words_of(image) == [PAD] * 3 + words + [PAD] * (LENGTH - 8)
    assert image.sum() == len(words)
    with pytest.raises(ValueError, match="unknown word 'fabulous'"):
        one_hot(["fabulous"])
    with pytest.raises(ValueError, match="at most 10, not 11"):
        one_hot(["not"] * 11, start=2)


def test_examples_are_balanced_and_drawn_by_the_generator_alone() -> None:
    examples = sentence_examples(200, Generator().manual_seed(5))
    assert examples.images.shape == (200, 1, LENGTH, len(VOCABULARY))
    assert int(examples.labels.sum()) == 100
    for image, label in zip(examples.images, examples.labels, strict=True):
        assert opinions([word for word in words_of(image) if word != PAD]) == {bool(label)}
    again = sentence_examples(200, Generator().manual_seed(5))
    assert torch.equal(again.images, examples.images)
    starts = {words_of(image).index(next(w for w in words_of(image) if w != PAD)) for image in examples.images}
    assert len(starts) > 3  # not all begin in the first row
