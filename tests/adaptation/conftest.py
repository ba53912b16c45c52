"""What tests of adaptations share: small generators of both families, and a published network's shapes."""

from __future__ import annotations

import pytest
import torch

from nada_core.generators.stylegan2 import StyleGAN2
from tests.helpers.small_adaptations import SMALL


@pytest.fixture(scope="module", params=list(SMALL))
def base(request):
    return SMALL[request.param]()


@pytest.fixture(scope="module")
def published():
    """StyleGAN2 of 1024 px, shapes only."""
    with torch.device("meta"):
        return StyleGAN2()
