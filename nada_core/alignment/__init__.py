"""Turn a photo into an upright crop: faces, landmarks, the FFHQ crop, points set by hand."""

from nada_core.alignment.ffhq import align_face

__all__ = ["align_face"]
