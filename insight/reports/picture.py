"""Charts as pictures, for files that cannot draw them.

In: a drawing. Out: a PNG. Raises `NoFont`.
Not known here: reports.
"""

import io

from PIL import Image, ImageDraw, ImageFont

from insight.reports.drawing import Drawing
from insight.reports.fonts import Face, path_of

SCALE = 3
"""Points of the picture for one of the drawing: sharp on paper."""
_ROLES = {"s0": "#1f4e8c", "s1": "#b3c5de", "grid": "#e3e8ee", "label": "#5a6573", "value": "#1a1f26"}
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def png_of(drawing: Drawing) -> bytes:
    """Draw it on white."""
    size = (round(drawing.width * SCALE), round(drawing.height * SCALE))
    image = Image.new("RGB", size, "white")
    pencil = ImageDraw.Draw(image)
    for path in drawing.paths:
        points = [(x * SCALE, y * SCALE) for x, y in path.points]
        wide = 1 * SCALE if path.role == "grid" else round(2.2 * SCALE)
        pencil.line(points, fill=_ROLES[path.role], width=wide, joint="curve")
    for box in drawing.boxes:
        if box.width > 0 and box.height > 0:
            corners = (box.x, box.y, box.x + box.width, box.y + box.height)
            pencil.rectangle([corner * SCALE for corner in corners], fill=_ROLES[box.role])
    font = ImageFont.truetype(str(path_of(Face.SANS)), round(drawing.text_size * SCALE))
    for words in drawing.words:
        place = (words.x * SCALE, words.y * SCALE)
        pencil.text(place, words.text, fill=_ROLES[words.role], font=font, anchor=_ANCHORS[words.anchor])
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()
