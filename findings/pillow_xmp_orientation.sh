#!/usr/bin/env bash
# Pillow 12.3.0: a photo is turned by an orientation that only its XMP packet states; browsers do not turn it.
#
# Expected: `ImageOps.exif_transpose` turns a photo by its EXIF orientation, as its name and documentation say. A PNG without EXIF, whose
#           XMP (an editor's note about the file) says tiff:Orientation 6, stays as it is: Chromium 156 shows it unturned.
# Happens:  where EXIF has no orientation, `Image.getexif()` fills it in from XMP, and the picture is turned by 90 degrees. The same for JPEG.
# Seen:     PNG: EXIF in the file: none, orientation reported: 6, (30, 20) becomes (20, 30)
#           JPEG: EXIF in the file: none, orientation reported: 6, (30, 20) becomes (20, 30)
# Here:     only an orientation inside EXIF turns a photo.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "pillow==12.3.0"
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

packet = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"><tiff:Orientation>6</tiff:Orientation>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)
note = PngInfo()
note.add_itxt("XML:com.adobe.xmp", packet)
turned = []
for kind, options in (("PNG", {"pnginfo": note}), ("JPEG", {"xmp": packet.encode()})):
    file = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(file, kind, **options)
    photo = Image.open(file)
    inside = "some" if photo.info.get("exif") else "none"
    orientation = photo.getexif().get(0x0112)
    shown = ImageOps.exif_transpose(photo)
    print(f"{kind}: EXIF in the file: {inside}, orientation reported: {orientation}, {photo.size} becomes {shown.size}")
    turned.append((inside, orientation, shown.size) == ("none", 6, (20, 30)))
sys.exit(0 if all(turned) else "This has changed.")
PYTHON
