"""Counting a prompt against what an encoder reads: whose words are quoted, and how many fit."""

from __future__ import annotations

import types

import pytest

from nada_core.adaptation.latent_edit import LatentOptions, edit_latent
from nada_core.adaptation.loop import AdaptOptions, adapt, check_texts
from nada_core.encoders.ensemble import EncoderEnsemble
from nada_core.encoders.text_length import check_length
from nada_core.errors import PromptError
from nada_core.inversion.base import Inversion
from nada_core.ui.server.backend import check_request
from tests.helpers.small_adaptations import ReadingEncoder, StandInEncoder, small_mobile, small_options


class CountingEncoder(ReadingEncoder):
    """One whose tokens are words, of which it reads twelve with the two marks: six or seven of a prompt."""

    token_limit = 12

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2

    def encode_text(self, texts):
        assert all(self.count_tokens(text) <= self.token_limit for text in texts)
        return super().encode_text(texts)


LONG = "one two three four five six seven eight"


def test_the_own_words_are_quoted_and_how_far_they_fit():
    with pytest.raises(PromptError) as refusal:
        check_length(CountingEncoder("clip"), LONG)
    words = str(refusal.value)
    assert "“one two three four five six seven eight” is too long for clip: it makes 8 tokens" in words
    assert "6 can be read, as far as “one two three four five six”" in words and "a photo of" not in words
    check_length(CountingEncoder(), "one two three four five six")
    check_length(StandInEncoder(), LONG * 20)  # counts nothing


def test_what_is_cut_is_marked_and_one_long_word_is_refused_as_well():
    with pytest.raises(PromptError, match=r"^“(面 ){29}面…” is too long"):
        check_length(CountingEncoder(), "面 " * 80)
    wordy = CountingEncoder()
    wordy.count_tokens = lambda text: len(text) + 2  # type: ignore[method-assign]
    with pytest.raises(PromptError, match=r"“面面面” is too long for stand-in: it makes 3 tokens, and 0 can be read. Say"):
        check_length(wordy, "面面面")


def test_a_member_of_an_ensemble_counts_too():
    with pytest.raises(PromptError, match="too long for second"):
        check_length(EncoderEnsemble([StandInEncoder("first"), CountingEncoder("second")]), LONG)


def test_the_patch_loss_puts_a_prompt_into_longer_sentences():
    encoder, options = CountingEncoder(), AdaptOptions(patch_weight=1.0)
    check_texts(encoder, "one two", AdaptOptions())
    check_texts(encoder, "one two", options)
    check_texts(encoder, "one two three four", AdaptOptions())
    with pytest.raises(PromptError, match="“one two three four” is too long"):
        check_texts(encoder, "one two three four", options)


@pytest.mark.parametrize("changes", [{}, {"source": LONG}])
def test_an_adaptation_is_refused_before_it_is_put_in_line(changes):
    base, encoder = small_mobile(), CountingEncoder()
    engine, prompt = types.SimpleNamespace(generator=base, encoder=encoder), "Joker" if changes else LONG
    options = small_options(base, **changes)
    with pytest.raises(PromptError, match="“one two three"):
        check_request(engine, prompt, options)
    with pytest.raises(PromptError, match="“one two three"):
        adapt(base, encoder, prompt, options)
    check_request(engine, None, options)  # pictures are aimed at: the words are only a name


def test_a_latent_edit_quotes_the_own_words():
    base = small_mobile()
    with pytest.raises(PromptError, match="“one two three"):
        edit_latent(base, CountingEncoder(), LONG, Inversion(base.mapping(base.sample_z([1]))), LatentOptions(resolution=32))
