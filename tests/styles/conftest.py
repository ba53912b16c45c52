"""What tests of the library share."""

from __future__ import annotations

import pytest

from nada_core.styles.files import save_style
from nada_core.styles.library import StyleLibrary
from tests.helpers.small_styles import four_numbers as style


@pytest.fixture
def library(tmp_path):
    """One with two ready styles, and nobody's own."""
    for name in ("joker", "pencil-sketch"):
        save_style(style(name), tmp_path / "ready" / f"{name}.safetensors")
    return StyleLibrary(tmp_path / "mine", ready=tmp_path / "ready")
