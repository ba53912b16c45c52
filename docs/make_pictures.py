"""Make the film and the screenshots of docs/pictures again, from the running app: ``make pictures``.

    python -m docs.make_pictures [--steps 30] [--mode balanced] [--out docs/pictures]
    python -m docs.make_pictures --url http://127.0.0.1:7860     # of an app that runs already
    python -m docs.make_pictures --wall                          # only the wall of ready styles, from their thumbnails
    python -m docs.make_pictures --worn                          # only the sheet of people who wear styles at once

The app is started on a free port with styles, jobs and cache of its own, and driven in headless Chromium as a person would: type Joker,
watch four faces turn, take an astronaut's photo, move the strength. Waiting is left out of the film, which is made smaller until it fits.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from nada_core.styles.library import READY

__all__ = ["Film", "main", "record", "wall", "write_gif"]

CHROMIUM = Path("/usr/bin/chromium")
#: The browser's window, and the pixels beside the page's columns that are shown of it.
VIEW: Any = {"width": 1200, "height": 750}
MARGIN = 14
MOST_BYTES = 3_000_000
#: Width in pixels and number of colours, the best first; the first one that fits is taken.
SIZES = ((960, 256), (800, 256), (720, 192), (640, 128), (560, 64))
#: Milliseconds that a frame is shown: a letter, a step of the work, a place of the slider, something to be looked at.
LETTER, STEP, SLIDE, LOOK = 130, 170, 260, 1300
#: Frames of the adaptation that are kept at most, spread evenly over the run.
MOST_STEPS = 16
STRENGTHS = (0.8, 0.6, 0.4, 0.2, 0.0, 0.3, 0.6, 1.0)
_SECONDS = 600
#: Seeds of generated people, none of whom the students have seen: dark skin, beards, a child, glasses; and what they wear.
WEARERS = (530, 555, 526, 545, 540, 537, 536)
WORN = (
    *("joker", "evil-clown", "vampire", "geisha", "zombie", "hulk", "bronze-statue", "gothic-makeup"),
    *("pencil-sketch", "comic-book", "ukiyo-e", "van-gogh-painting", "tiger"),
)


@dataclass
class Film:
    """Pictures of a page and how long each is shown."""

    page: Any
    frames: list[tuple[Image.Image, int]]

    def shoot(self, milliseconds: int) -> None:
        """Add what the page shows now."""
        self.frames.append((self.picture(), milliseconds))

    def picture(self) -> Image.Image:
        """Return what the page shows now, without the empty edges beside its columns."""
        box = self.page.locator("#tabs").bounding_box()
        width = round(box["width"]) + 2 * MARGIN
        part = {"x": round(box["x"]) - MARGIN, "y": 0, "width": width, "height": round(width * VIEW["height"] / VIEW["width"])}
        return Image.open(io.BytesIO(self.page.screenshot(clip=part))).convert("RGB")

    def shoot_changes(self, what: str, over: Callable[[], bool], most: int) -> None:
        """Add a frame whenever the JavaScript expression ``what`` has another value, until ``over``; keep ``most`` of them."""
        begun, kept, last = time.monotonic(), len(self.frames), None
        while not over():
            if time.monotonic() - begun > _SECONDS:
                raise RuntimeError(f"The app was not done within {_SECONDS} seconds.")
            if (now := self.page.evaluate(what)) != last:
                last = now
                self.shoot(STEP)
            self.page.wait_for_timeout(150)
        self.frames[kept:] = evenly(self.frames[kept:], most)


def evenly(items: Sequence[Any], most: int) -> list[Any]:
    """Return at most ``most`` of the items, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def record(page: Any, url: str, steps: int, mode: str, out: Path) -> list[tuple[Image.Image, int]]:
    """Use the app at ``url`` as a person would; returns the frames, and writes the screenshots into ``out``."""
    film = Film(page, [])
    page.goto(url)
    page.locator("#after-3 img").wait_for(timeout=120_000)
    _adapt(film, steps)
    film.picture().save(out / "adapt.jpg", quality=85, optimize=True)
    _stylise(film, mode)
    film.picture().save(out / "stylise.jpg", quality=85, optimize=True)
    return film.frames


def _adapt(film: Film, steps: int) -> None:
    """Type the prompt, press the button, watch the faces."""
    page = film.page
    page.locator("#settings").get_by_text("Settings", exact=True).click()
    number = page.get_by_label("number input for Steps")
    number.fill(str(steps))
    number.press("Tab")
    page.locator("#settings").get_by_text("Settings", exact=True).click()
    box = page.locator("#prompt input, #prompt textarea").first
    box.fill("")
    _scroll_to(page, "#tabs")
    film.shoot(LOOK // 2)
    for letter in "Joker":
        box.press_sequentially(letter)
        film.shoot(LETTER)
    page.locator("#adapt").click()
    done = page.locator("#wear:not([disabled])")
    film.shoot_changes("(document.querySelector('#after-0 img') || {}).src", done.is_visible, MOST_STEPS)
    _scroll_to(page, "#tabs")
    page.wait_for_timeout(500)
    film.shoot(LOOK)


def _stylise(film: Film, mode: str) -> None:
    """Wear the new style on the astronaut, then move its strength."""
    page = film.page
    page.locator("#wear").click()
    page.locator("#examples .thumbnail-item").first.click()
    page.locator(f"#mode input[value='{mode}']").check()
    page.wait_for_function("!document.querySelector('#stylise').disabled", timeout=120_000)
    _scroll_to(page, "#tabs")
    film.shoot(LOOK // 2)
    page.locator("#stylise").click()
    ready = page.locator("#edit-progress").get_by_text("Done")
    film.shoot_changes("(document.querySelector('#edit-working img') || {}).src", ready.is_visible, 8)
    page.locator("#pair img").first.wait_for(timeout=60_000)
    page.wait_for_timeout(500)
    _scroll_to(page, "#pair")
    film.shoot(LOOK)
    slider = page.locator("#strength input[type=range]")
    shown = "Array.from(document.querySelectorAll('#pair img'), (one) => one.src).join()"
    for strength in STRENGTHS:
        before = page.evaluate(shown)
        slider.fill(str(strength))
        page.wait_for_function(f"before => {shown} !== before", arg=before, timeout=120_000)
        page.wait_for_timeout(250)  # the picture is decoded
        film.shoot(SLIDE)
    film.frames[-1] = (film.frames[-1][0], LOOK)


def _scroll_to(page: Any, place: str) -> None:
    page.mouse.move(1, 1)  # or what the mouse rests on is marked
    page.evaluate("place => { document.querySelector(place).scrollIntoView({ block: 'start' }); scrollBy(0, -12); }", place)
    page.wait_for_timeout(150)


def write_gif(
    frames: Sequence[tuple[Image.Image, int]], path: Path, most: int = MOST_BYTES, sizes: Sequence[tuple[int, int]] = SIZES
) -> tuple[int, int]:
    """Write a looping GIF of less than ``most`` bytes in the best of ``sizes``; returns its width and number of colours.

    All frames share one palette and are not dithered: what does not move is then equal in them and costs nothing.

    Raises:
        RuntimeError: not even the smallest fits.
    """
    for width, colours in sizes:
        small = [frame.resize((width, round(width * frame.height / frame.width)), Image.Resampling.LANCZOS) for frame, _ in frames]
        # by the colours there are, not by how often: the page is nearly all white, and green hair would turn grey
        palette = _together(evenly(small, 9)).quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=3)
        flat = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in small]
        target = io.BytesIO()
        flat[0].save(
            target, "GIF", save_all=True, append_images=flat[1:], duration=[shown for _, shown in frames], loop=0, optimize=True, disposal=1
        )
        if target.tell() < most:
            path.write_bytes(target.getvalue())
            return width, colours
    raise RuntimeError(f"The film has {target.tell()} bytes even at its smallest; {most} are allowed. Keep fewer frames.")


def _together(pictures: Sequence[Image.Image]) -> Image.Image:
    """Return the pictures below each other, for a palette that suits all of them."""
    sheet = Image.new("RGB", (pictures[0].width, sum(picture.height for picture in pictures)))
    top = 0
    for picture in pictures:
        sheet.paste(picture, (0, top))
        top += picture.height
    return sheet


def wall(folder: Path, columns: int = 12, side: int = 128) -> Image.Image:
    """Put the thumbnails of all styles of a folder on one picture, in their groups, each with its prompt."""
    from nada_core.looks.kinds import GROUPS, group_of
    from nada_core.styles.files import load_card

    prompts = {path.with_suffix(".jpg"): load_card(path).prompt for path in sorted(folder.glob("*.safetensors"))}
    files = sorted(prompts, key=lambda file: (GROUPS.index(group_of(prompts[file])), file.stem != "joker", file.stem))
    page = Image.new("RGB", (columns * side, -(-len(files) // columns) * (side + 18)), "white")
    for place, file in enumerate(files):
        x, y = place % columns * side, place // columns * (side + 18)
        page.paste(Image.open(file).resize((side - 4, side - 4), Image.Resampling.LANCZOS), (x + 2, y + 2))
        ImageDraw.Draw(page).text((x + side / 2, y + side + 6), prompts[file], fill="#444", anchor="mm", font_size=12)
    return page


def worn(seeds: Sequence[int] = WEARERS, styles: Sequence[str] = WORN, side: int = 112) -> Image.Image:
    """Put people on one picture, one a column, as they are and in styles they wear at once: an astronaut, then generated faces by seed."""
    from skimage import data

    from nada_core.engine import Engine
    from nada_core.images.image_io import to_pil

    engine = Engine("cpu")
    people = [Image.fromarray(data.astronaut())]
    for seed in seeds:
        generator = engine.generator
        people.append(to_pil(generator.synthesis(generator.mapping(generator.sample_z([seed]), 0.9), resolution=1024)[0]))
    page = Image.new("RGB", (len(people) * side + 130, (len(styles) + 1) * side), "white")
    for column, photo in enumerate(people):
        for row, style in enumerate(("", *styles)):
            found = engine.edit(photo, style or styles[0], mode="instant")
            picture = found.edited if style else found.aligned
            place = (130 + column * side + 2, row * side + 2)
            page.paste(picture.convert("RGB").resize((side - 4, side - 4), Image.Resampling.LANCZOS), place)
            if not column:
                said = style.replace("-", " ") or "as they are"
                ImageDraw.Draw(page).text((124, row * side + side / 2), said, fill="#444", anchor="rm", font_size=13)
    return page


@contextmanager
def browser_page() -> Iterator[Any]:
    """Open a page of headless Chromium, in the light colours."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM if CHROMIUM.exists() else None, args=["--no-sandbox"])
        try:
            yield browser.new_page(viewport=VIEW, color_scheme="light", reduced_motion="reduce")
        finally:
            browser.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the pictures; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=30, help="of the adaptation that is filmed")
    parser.add_argument("--mode", choices=("fast", "balanced", "faithful"), default="balanced", help="how long the photo is worked on")
    parser.add_argument("--url", help="an app that runs already; default: one is started")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("pictures"))
    parser.add_argument("--wall", action="store_true", help="only the wall of ready styles")
    parser.add_argument("--worn", action="store_true", help="only the sheet of people who wear styles at once")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.wall:
        worn().save(options.out / "worn.jpg", quality=84, optimize=True)
    if options.worn:
        return 0
    wall(READY).save(options.out / "styles.jpg", quality=84, optimize=True)
    if options.wall:
        return 0

    def made(url: str) -> list[tuple[Image.Image, int]]:
        with browser_page() as page:
            return record(page, url, options.steps, options.mode, options.out)

    if options.url:
        frames = made(options.url)
    else:
        from benchmarks.app_server import running_app

        with tempfile.TemporaryDirectory(prefix="nada-pictures-") as folder, running_app(Path(folder)) as server:
            frames = made(server.url)
    width, colours = write_gif(frames, options.out / "app.gif")
    size = (options.out / "app.gif").stat().st_size
    print(f"{options.out / 'app.gif'}: {len(frames)} frames, {width} px wide, {colours} colours, {size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
