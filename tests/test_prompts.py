"""What people type, and what it means to the starter encoder."""

from __future__ import annotations

import pytest

from nada_core.errors import PromptError
from nada_core.prompts import CONCEPTS, MAX_PROMPT, SOURCE_PROMPTS, check_prompt, resolve_concept


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Joker", "joker"),
        ("  a photo of the JOKER. ", "joker"),
        ("Joker face", "joker face"),
        ("Joker's smile", "joker smile"),
        ("Joker make-up", "joker makeup"),
        ("cosplay Joker", "joker cosplay"),
        ("a person with green hair", "green hair"),
        ("hair, green", "green hair"),
        ("green-haired person", "green hair"),
        ("a green-skinned person", "green skin"),
        ("The Incredible Hulk", "green skin"),
        ("Na'vi", "blue skin"),
        ("pencil sketch", "sketch"),
        ("a sketch of a face", "sketch"),
        ("oil painting", "oil painting"),
        ("black & white photo", "black and white"),
        ("sepia photograph", "sepia"),
        ("watercolor painting", "watercolour"),
        ("grey hair", "white hair"),
        ("face", "photo"),
        ("photo", "photo"),
        ("person", "photo"),
    ],
)
def test_synonyms_templates_and_word_order(text, key):
    assert resolve_concept(text) == key


def test_every_title_and_alias_means_its_own_concept():
    for key, concept in CONCEPTS.items():
        for phrase in (key, concept.title, *concept.aliases):
            assert resolve_concept(phrase) == key, phrase


def test_source_prompts_are_five_different_concepts():
    assert len({resolve_concept(p) for p in SOURCE_PROMPTS}) == 5


@pytest.mark.parametrize("text", ["not a Joker", "Joker zombie", "purple elephant", "Джокер", "小丑", "<script>alert(1)</script>", "hair"])
def test_unknown_prompts_are_refused_with_neighbours(text):
    with pytest.raises(PromptError, match="Nearest: "):
        resolve_concept(text)


def test_nearest_concepts_help():
    with pytest.raises(PromptError, match="Joker"):
        resolve_concept("Jokr")
    with pytest.raises(PromptError, match="green hair"):
        resolve_concept("very long green hair")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("x" * 10_000, f"at most {MAX_PROMPT}"),
        ("🤡🤡", "no words"),
        ("123", "no words"),
        (None, "short text"),
    ],
)
def test_bad_prompts(text, message):
    with pytest.raises(PromptError, match=message):
        check_prompt(text)


def test_known_restricts_the_answer():
    with pytest.raises(PromptError):
        resolve_concept("zombie", ("photo", "joker"))
