#!/usr/bin/env python3
"""Renders the portraits: NAME.svg, with the hair that brush.js grows, becomes NAME.jpg, 1600 × 1200,
and 800/NAME.jpg and 400/NAME.jpg, as wide as their folders say: the widths in which the program keeps a photo.

Needs Chromium and Pillow. From the root of the repository:

    python3 -m venv /tmp/portraits && /tmp/portraits/bin/pip install pillow
    /tmp/portraits/bin/python src/simulator/portraits/render.py [NAME…]
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageFilter

WIDTH, HEIGHT = 1600, 1200
SMALLER_WIDTHS = (400, 800)
MAX_BYTES = 150_000
BEST_QUALITY, LEAST_QUALITY = 82, 64
# In pixels: softens the edges of single hairs, which cost a JPEG most.
SOFTNESS = 0.6
FOLDER = Path(__file__).parent

PAGE = """<!doctype html><meta charset="utf-8">
<style>body {{ margin: 0 }} svg {{ display: block; width: {width}px; height: {height}px }}</style>
{svg}<script>{brush}</script>"""


def draw(svg: Path, scratch: Path) -> Image.Image:
    """Returns the picture that the browser shows."""
    page, shot = scratch / "page.html", scratch / "shot.png"
    text = PAGE.format(width=WIDTH, height=HEIGHT, svg=svg.read_text(), brush=(FOLDER / "brush.js").read_text())
    page.write_text(text)
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
               f"--window-size={WIDTH},{HEIGHT}", f"--user-data-dir={scratch}/profile",
               "--virtual-time-budget=20000", f"--screenshot={shot}", page.as_uri()]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return Image.open(shot).convert("RGB").filter(ImageFilter.GaussianBlur(SOFTNESS))


def save(picture: Image.Image, path: Path) -> None:
    """Writes the JPEG in the best quality that keeps within the limit."""
    for quality in range(BEST_QUALITY, LEAST_QUALITY - 1, -2):
        picture.save(path, "JPEG", quality=quality, optimize=True, progressive=True)
        if path.stat().st_size <= MAX_BYTES:
            print(f"{path.name}: {path.stat().st_size} bytes, quality {quality}")
            return
    sys.exit(f"{path.name} has more than {MAX_BYTES} bytes")


if __name__ == "__main__":
    names = sys.argv[1:] or sorted(svg.stem for svg in FOLDER.glob("*.svg"))
    for name in names:
        with tempfile.TemporaryDirectory() as scratch:
            picture = draw(FOLDER / f"{name}.svg", Path(scratch))
            save(picture, FOLDER / f"{name}.jpg")
            for width in SMALLER_WIDTHS:
                smaller = picture.resize((width, width * HEIGHT // WIDTH), Image.Resampling.LANCZOS)
                smaller.save(FOLDER / str(width) / f"{name}.jpg", "JPEG", quality=BEST_QUALITY, optimize=True, progressive=True)
