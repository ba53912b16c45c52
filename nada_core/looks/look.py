"""Define a look, what a text means for a face as data: colours of parts, material, medium, photographic process, marks, shape.

A look knows nothing of words and nothing of pictures. Texts are read into looks by :mod:`nada_core.looks.reading`; looks are painted on
faces by :mod:`nada_core.looks.drawing`. Colours are CIE Lab (L in [0, 100], a and b about [-128, 127], D65).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

__all__ = [
    "BEARD_MARKS",
    "FAINT_MARKS",
    "HAIR_MARKS",
    "MARKS",
    "MATERIALS",
    "MEDIA",
    "PARTS",
    "PROCESSES",
    "SHAPES",
    "TEXTURES",
    "WHOLES",
    "Lab",
    "Look",
    "Mark",
    "Paint",
    "named",
]

Lab = tuple[float, float, float]

#: The parts of a picture that can have a colour of their own. "around the eyes" is the lid and socket; "light" tints everything.
PARTS = ("skin", "hair", "brows", "eyes", "around the eyes", "lips", "teeth", "cheeks", "beard", "clothing", "background", "light")

#: Surfaces that a part can have besides its colour.
TEXTURES = (
    "smooth", "glossy", "rough", "wrinkled", "scaly", "cracked", "rotten", "furry", "freckled", "veined", "glittering", "metallic",
    "striped", "spotted", "glowing", "dusty", "bloody", "muddy", "starry", "rusty", "mossy", "frosty", "rainbow",
)  # fmt: skip

#: What the whole person can be made of.
MATERIALS = (
    "bronze", "gold", "silver", "copper", "iron", "steel", "chrome", "brass", "rust", "marble", "black marble", "stone", "granite",
    "sandstone", "concrete", "jade", "emerald", "ruby", "sapphire", "amethyst", "crystal", "diamond", "obsidian", "pearl", "amber",
    "coral", "wood", "ebony", "ice", "snow", "glass", "wax", "clay", "terracotta", "mud", "sand", "chocolate", "caramel", "cheese",
    "jelly", "plastic", "rubber", "porcelain", "bone", "leather", "wool", "felt", "denim", "velvet", "paper", "cardboard", "balloon",
    "lava", "fire", "water", "smoke", "slime", "moss", "candy", "rose gold",
)  # fmt: skip

#: How a picture can be made.
MEDIA = (
    "pencil", "coloured pencil", "ink", "charcoal", "chalk", "pastel", "crayon", "oil", "acrylic", "watercolour", "gouache", "fresco",
    "cartoon", "comic", "anime", "manga", "caricature", "pop art", "woodblock print", "linocut", "engraving", "etching", "mosaic",
    "stained glass", "pointillism", "impasto swirls", "impressionism", "expressionism", "fauvism", "cubism", "art nouveau",
    "art deco", "surrealism", "abstract", "baroque", "renaissance", "byzantine icon", "pixel art", "low poly", "graffiti", "stencil",
    "neon", "blueprint", "embroidery", "silhouette", "collage", "paper cut", "claymation", "3d render", "tattoo drawing", "ascii art",
    "halftone", "screen print", "ballpoint pen", "hologram", "vaporwave", "cave painting", "tapestry",
)  # fmt: skip

#: What a camera, a film or a screen can do to a picture.
PROCESSES = (
    "sepia", "black and white", "high contrast", "infrared", "thermal", "x-ray", "night vision", "negative", "faded film", "polaroid",
    "daguerreotype", "cyanotype", "lomography", "technicolor", "vhs", "glitch", "film noir", "overexposed", "underexposed",
    "bleached", "cross processed", "soft focus", "newspaper", "solarised", "duotone",
)  # fmt: skip

#: What a whole picture is, each in an amount: 1 is all of it, less is a trace, more (up to 1.3) is overdone.
WHOLES = ("material", "medium", "process")

#: Changes of geometry: name -> what 1 means. Values lie in [-1.3, 1.3]; the opposite sign is the opposite change.
SHAPES: dict[str, str] = {
    "smile": "corners of the mouth out and up (-1: down, a frown)",
    "open mouth": "lips apart",
    "big eyes": "eyes opened and enlarged (-1: narrow)",
    "pointed ears": "tips of the ears pulled up and out",
    "big ears": "ears larger",
    "wide face": "face and jaw wider (-1: slim)",
    "long face": "face longer (-1: short)",
    "long nose": "tip of the nose further down (-1: short)",
    "wide nose": "nose wider (-1: narrow)",
    "strong chin": "chin longer and wider (-1: receding)",
    "full lips": "lips thicker (-1: thin)",
    "raised brows": "eyebrows higher (-1: low, an angry look)",
    "full cheeks": "cheeks rounder (-1: hollow)",
    "high forehead": "forehead higher",
    "age": "folds, creases, sagging (-1: smooth and young)",
}

#: Things drawn at known places of a face, each in its own colour or that of its :class:`Mark`.
MARKS: dict[str, str] = {
    "painted smile": "lips painted past the corners of the mouth, up the cheeks",
    "scarred smile": "a cut smile with ragged ends",
    "clown nose": "a ball on the tip of the nose",
    "cheek spots": "a round spot on each cheek",
    "eye diamonds": "a diamond above and below each eye",
    "eye star": "a star around one eye",
    "lightning": "a lightning bolt across one eye",
    "eye mask": "a band across the eyes, temple to temple",
    "eye patch": "a patch over one eye with its string",
    "eyeliner": "a dark line along the lids with a wing",
    "eyeshadow": "colour on the upper lids",
    "mascara tears": "dark streaks running down from the eyes",
    "tears": "clear drops under the eyes",
    "blush": "soft red on the cheeks",
    "contour": "shaded cheekbones",
    "fangs": "two pointed teeth over the lower lip",
    "blood": "blood running from the mouth",
    "scar": "a scar across one cheek and eye",
    "forehead scar": "a small lightning scar on the forehead",
    "stitches": "sewn seams over cheek and forehead",
    "beauty spot": "a small dark spot on one cheek",
    "forehead dot": "a dot between the brows",
    "forehead gem": "a gem on the forehead",
    "war paint": "two bars on each cheek",
    "half face": "one half of the face in another colour",
    "left third": "the left third of the face in another colour, as of a flag",
    "right third": "the right third of the face in another colour",
    "upper third": "the forehead in another colour",
    "lower third": "mouth and chin in another colour",
    "lower half": "everything below the eyes in another colour",
    "cross": "two broad bars that cross at the nose",
    "diagonal cross": "two broad bars that cross at the nose, from corner to corner",
    "no brows": "brows under the colour of the skin",
    "other eye": "one of the eyes in another colour",
    "half hair": "one half of the hair in another colour",
    "hair strands": "strands of the hair in another colour",
    "hair tips": "the ends of the hair in another colour",
    "stripes": "stripes from the sides towards the nose",
    "whiskers": "three lines on each cheek",
    "animal nose": "the tip of the nose and the line down to the lip dark",
    "skull": "sockets, nose hollow and rows of teeth",
    "panel seams": "seams between the plates of a robot",
    "circuits": "fine glowing lines",
    "tattoo": "dark ornaments on cheek and temple",
    "dots": "rows of dots over brows and cheeks",
    "freckles": "freckles over nose and cheeks",
    "beard": "a full beard",
    "long beard": "a full beard that hangs down below the chin",
    "stubble": "a day's growth of beard",
    "moustache": "a moustache",
    "goatee": "beard on the chin only",
    "glasses": "round glasses",
    "monocle": "a round glass before one eye, on a chain",
    "sunglasses": "dark glasses",
    "bruise": "a black eye",
    "veins": "dark veins from the eyes and temples",
    "burns": "burnt patches",
    "mud": "smears of dirt",
    "glitter": "glitter on cheekbones and lids",
    "flowers": "small flowers in the hair",
    "horns": "two short horns at the hairline",
    "antlers": "two branching antlers at the hairline",
    "closed eyes": "lids over the eyes, with lashes",
    "sewn lips": "thread through both lips",
    "web": "a net of lines centred between the eyes",
    "bald": "a head without hair",
    "mohawk": "a comb of hair on a bald head",
    "afro": "a ball of tight curls",
    "curly hair": "ringlets",
    "long hair": "hair that falls over the shoulders",
    "dreadlocks": "thick locks that hang down",
    "short hair": "hair that ends above the ears",
    "spiky hair": "hair that stands up in spikes",
    "braids": "two braids beside the face",
    "sideburns": "hair before the ears",
    "crown": "a golden crown with points and jewels",
    "cap": "a cap with a visor",
    "hat": "a hat with a brim",
    "helmet": "a metal helmet with a nose guard",
    "bandana": "a dotted cloth tied over the head",
    "headscarf": "a scarf around head and neck",
    "halo": "a ring of light over the head",
    "cat ears": "pointed ears on top of the head",
    "bunny ears": "long ears on top of the head",
    "unicorn horn": "one twisted horn on the forehead",
    "surgical mask": "a cloth mask over mouth and nose",
    "earrings": "a hoop at each ear",
    "piercings": "rings and studs in nose, lip and brow",
    "wings": "feathered wings behind the shoulders",
}

#: Marks that are hair of the head, and hair of the face: their colours are those of hair.
HAIR_MARKS = frozenset(
    ("bald", "mohawk", "afro", "curly hair", "long hair", "dreadlocks", "short hair", "spiky hair", "braids", "half hair", "hair strands",
     "hair tips")
)  # fmt: skip
BEARD_MARKS = frozenset(("beard", "long beard", "stubble", "moustache", "goatee", "sideburns"))

#: Marks of which an adaptation leaves no more than a shade: the generator makes no hat, and no beard where none grows.
FAINT_MARKS = frozenset(("hat", "cap", "beard", "long beard", "blood"))


@dataclass(frozen=True)
class Paint:
    """The colour and surface of one part.

    Attributes:
        colour: Lab; None leaves the colour as it is (a texture alone).
        amount: share of the way to the colour, in [0, 1].
        contrast: factor on the differences of lightness inside the part; 1 keeps its own shading.
        texture: one of :data:`TEXTURES`, or empty.
    """

    colour: Lab | None = None
    amount: float = 0.92
    contrast: float = 1.0
    texture: str = ""

    def over(self, earlier: Paint | None) -> Paint:
        """Return this paint laid over an earlier one: a surface alone keeps the colour that was there ("scaly zombie")."""
        return self if earlier is None or self.colour is not None else replace(earlier, texture=self.texture or earlier.texture)


@dataclass(frozen=True)
class Mark:
    """One of :data:`MARKS` with its strength in [0, 1] and its colour (Lab; None: the mark's own)."""

    name: str
    amount: float = 1.0
    colour: Lab | None = None


@dataclass(frozen=True)
class Look:
    """What a text means for a face. Empty fields leave a face as it is.

    Attributes:
        paints: part (of :data:`PARTS`) -> its colour and surface.
        material: one of :data:`MATERIALS` that the person is made of, or empty; ``tint`` is its colour where it is not its own.
        medium: one of :data:`MEDIA` that the picture is made in, or empty.
        process: one of :data:`PROCESSES` that the picture went through, or empty.
        over: parts whose paint lies over the material or a colourless picture, not under it ("gold statue with red eyes").
        amounts: name of :data:`WHOLES` -> amount in (0, 1.3]; 1 where nothing is said.
        brightness: -1 (night) to 1 (glaring).
        shape: name of :data:`SHAPES` -> amount in [-1.3, 1.3].
        marks: things drawn at known places.
    """

    paints: Mapping[str, Paint] = field(default_factory=dict)
    material: str = ""
    tint: Lab | None = None
    medium: str = ""
    process: str = ""
    over: tuple[str, ...] = ()
    amounts: Mapping[str, float] = field(default_factory=dict)
    brightness: float = 0.0
    shape: Mapping[str, float] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()

    def __add__(self, later: Look) -> Look:
        """Return both looks together; where they collide ``later`` wins."""
        named = {m.name for m in later.marks}
        return Look(
            paints={**self.paints, **{part: paint.over(self.paints.get(part)) for part, paint in later.paints.items()}},
            material=later.material or self.material,
            tint=later.tint if later.tint or later.material else self.tint,
            medium=later.medium or self.medium,
            process=later.process or self.process,
            over=tuple(dict.fromkeys((*self.over, *later.over))),
            amounts={**{w: a for w, a in self.amounts.items() if not getattr(later, w)}, **later.amounts},
            brightness=later.brightness or self.brightness,
            shape={**self.shape, **later.shape},
            marks=(*(m for m in self.marks if m.name not in named), *later.marks),
        )

    def __bool__(self) -> bool:
        """Tell whether the look changes anything."""
        return any(getattr(self, f.name) for f in fields(self))

    def without(self, *parts: str) -> Look:
        """Return the look with these parts' paints left out."""
        return replace(self, paints={p: paint for p, paint in self.paints.items() if p not in parts})

    def to_json(self) -> dict[str, Any]:
        """Return the look as JSON values, empty fields left out."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Look:
        """Make a look of what :meth:`to_json` returned.

        Raises:
            ValueError: a field, part or name that no look has, or a value of another kind.
        """
        return _from_json(data)

    @property
    def key(self) -> str:
        """Return a short digest: equal looks have equal keys, whatever the order in which they were put together."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]


def _colour(value: Any) -> Lab | None:
    if value is None:
        return None
    light, a, b = (float(v) for v in value)
    if not (0 <= light <= 100 and -160 <= a <= 160 and -160 <= b <= 160):
        raise ValueError(f"not a colour in Lab: {value}")
    return light, a, b


def named(value: str, names: Collection[str], kind: str) -> str:
    """Return the value; raise ValueError where it is none of the names."""
    if value not in names:
        raise ValueError(f"no {kind} is called '{value}'")
    return value


def _from_json(data: Mapping[str, Any]) -> Look:
    unknown = set(data) - {f.name for f in fields(Look)}
    if unknown:
        raise ValueError(f"no look has {', '.join(sorted(unknown))}")
    try:
        paints = {
            named(part, PARTS, "part"): Paint(
                _colour(p.get("colour")),
                float(p.get("amount", 0.92)),
                float(p.get("contrast", 1.0)),
                named(p.get("texture", ""), ("", *TEXTURES), "texture"),
            )
            for part, p in data.get("paints", {}).items()
        }
        return Look(
            paints=paints,
            material=named(data.get("material", ""), ("", *MATERIALS), "material"),
            tint=_colour(data.get("tint")),
            medium=named(data.get("medium", ""), ("", *MEDIA), "medium"),
            process=named(data.get("process", ""), ("", *PROCESSES), "process"),
            over=tuple(named(part, PARTS, "part") for part in data.get("over", ())),
            amounts={named(name, WHOLES, "whole"): float(v) for name, v in data.get("amounts", {}).items()},
            brightness=float(data.get("brightness", 0.0)),
            shape={named(name, SHAPES, "shape"): float(v) for name, v in data.get("shape", {}).items()},
            marks=tuple(
                Mark(named(m["name"], MARKS, "mark"), float(m.get("amount", 1.0)), _colour(m.get("colour"))) for m in data.get("marks", ())
            ),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a look: {error}") from error
