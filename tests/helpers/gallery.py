"""List names that no library holds, as a hand-written request to the gallery may send them."""

from __future__ import annotations

#: Names that no library lists, as a hand-written request may send them.
PATHS = ["../../etc/passwd", "/etc/passwd", "nobody", "", None, 7, ["joker"], {"name": "joker"}, "Joker", "joker\x00"]
