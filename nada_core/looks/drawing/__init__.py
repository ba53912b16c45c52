"""Draw looks on faces: `face_from` describes a face, `draw` draws a `Look` on it."""

from nada_core.looks.drawing.draw import draw
from nada_core.looks.drawing.drawn_face import DrawnFace, face_from

__all__ = ["DrawnFace", "draw", "face_from"]
