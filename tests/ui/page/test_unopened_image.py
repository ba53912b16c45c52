"""Pictures that the browser sends as text."""

from __future__ import annotations

import base64

import pytest

from nada_core.errors import PhotoError
from nada_core.ui.page.patches.unopened_image import MAX_UPLOAD, data_url_bytes


def test_data_urls_are_decoded_and_capped():
    assert data_url_bytes("data:image/png;base64," + base64.b64encode(b"abc").decode()) == b"abc"
    for url in ("data:image/png,abc", "data:image/png;base64,***", "data:image/png;base64," + "A" * (MAX_UPLOAD * 2)):
        with pytest.raises(PhotoError):
            data_url_bytes(url)
