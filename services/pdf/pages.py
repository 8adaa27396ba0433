"""PDF pages that write every script an order can hold, shaped where the script needs it.

A text is cut into runs, each in the first font that has all of it. What no font has is written as its code point:
nothing is ever left out without a trace. Fonts are looked at when a text needs them, and go into the file as subsets.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import regex
import uharfbuzz
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fpdf import FPDF
from fpdf.line_break import Fragment

_DEJAVU: Final = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
_EAST_ASIA: Final = Path(str(files("noto_cjk_sans_jp_regular"))) / "NotoSansCJKjp-Regular.otf"
_CLUSTER: Final = regex.compile(r"\X")
# Nothing is drawn for these; a font that lacks them can write the text all the same.
_UNSEEN: Final = regex.compile(r"\p{Default_Ignorable_Code_Point}")
_OF_NO_SCRIPT: Final = regex.compile(r"[\p{Script=Common}\p{Script=Inherited}]+")
# Marks that turn the direction of what follows: a name could be made to read as another one.
_TURNING: Final = regex.compile("[\u202a-\u202e\u2066-\u2069]")
_UNWRITTEN: Final = regex.compile(r"[\p{Cc}\p{Cn}\p{Co}\p{Cs}]")


class TextPages(FPDF):
    """A4 pages whose text may be of any script; `set_font("text", size=…)` is its one font.

    `texts` are what will be written, as `plain_text` gives it.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        super().__init__(format="A4")
        self.str_alias_nb_pages = ""  # "{nb}" in a product's name is not a page count
        self.add_font("text", fname=_DEJAVU)
        self.set_text_shaping(True)
        self._folder = TemporaryDirectory(prefix="esupport-fonts-")
        east_asian = {c for text in texts for font, part in runs(text) if font == _EAST_ASIA for c in part}
        if east_asian:
            made = Path(self._folder.name) / "east-asia.ttf"
            made.write_bytes(_small_font(_EAST_ASIA, east_asian))
            self.add_font(_name(_EAST_ASIA), fname=made)

    def _parse_chars(self, text: str, markdown: bool, **unused: object) -> Iterator[Fragment]:
        """Take the place of fpdf2's choice of fonts, which goes by single characters and tears clusters apart."""
        for font, part in runs(text):
            name = _name(font)
            if name not in self.fonts:
                self.add_font(name, fname=font)
            state = self._get_current_graphics_state()
            state.font_family, state.font_style, state.current_font = name, "", self.fonts[name]
            yield Fragment(part, state, self.k)


def plain_text(text: str) -> str:
    """The text as a page can show it: one space for any white space, no marks that turn the direction.

    What no font has is its code point from here on, `[U+0F56]`: before anybody asks which way the text runs.
    """
    one_line = " ".join(_TURNING.sub("", unicodedata.normalize("NFC", text)).split())
    return "".join(part for _, part in runs(one_line))


def runs(text: str) -> list[tuple[Path, str]]:
    """The text in pieces, each with a font that has all of its characters."""
    parts: list[tuple[Path, str]] = []
    for cluster in _CLUSTER.findall(text):
        for font, part in _written(cluster, parts[-1][0] if parts else _DEJAVU):
            if parts and parts[-1][0] == font:
                parts[-1] = (font, parts[-1][1] + part)
            else:
                parts.append((font, part))
    return parts


def _written(cluster: str, before: Path) -> list[tuple[Path, str]]:
    """The cluster in one font; else its characters one by one; else their code points. `before` is the font so far."""
    seen = frozenset(map(ord, _UNSEEN.sub("", cluster)))
    if cluster == "\n" or (_OF_NO_SCRIPT.fullmatch(cluster) and seen <= _coverage(before)):
        return [(before, cluster)]
    if not any(map(_UNWRITTEN.match, cluster)) and (font := _font_with(seen)):
        return [(font, cluster)]
    if len(cluster) > 1:
        return [piece for character in cluster for piece in _written(character, before)]
    return [(_DEJAVU, f"[U+{ord(cluster):04X}]")]


def _font_with(wanted: frozenset[int]) -> Path | None:
    return next((font for font in _fonts() if wanted <= _coverage(font)), None)


@cache
def _fonts() -> tuple[Path, ...]:
    """In the order in which they are asked: single scripts, then Chinese, Japanese and Korean, then pictures."""
    folder = Path(str(files("manimgx_fonts")))
    scripts = [font for font in sorted(folder.glob("NotoSans*.ttf")) if "Italic" not in font.name]
    return (_DEJAVU, *scripts, _EAST_ASIA, *folder.glob("NotoEmoji*.ttf"))


@cache
def _coverage(font: Path) -> frozenset[int]:
    return frozenset(_face(font).unicodes)


def _name(font: Path) -> str:
    return "text" if font == _DEJAVU else font.stem.split("[")[0].lower()


def _face(font: Path) -> Any:  # Any: uharfbuzz has no types
    return uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(font)))


def _small_font(font: Path, characters: Iterable[str]) -> bytes:
    """A TrueType font of these characters alone.

    fpdf2 would read all 65,535 glyphs of the large one, and write codes that not every reader turns back into text.
    """
    face = _face(font)
    source = uharfbuzz.Font(face)
    glyph_of = {ord(c): source.get_nominal_glyph(ord(c)) for c in characters}
    names = {0: ".notdef"} | {glyph: f"glyph{glyph}" for glyph in glyph_of.values() if glyph}
    outlines, widths = {}, {}
    for glyph, name in names.items():
        pen = TTGlyphPen(None)
        source.draw_glyph_with_pen(glyph, Cu2QuPen(pen, 1.0, reverse_direction=True))
        outlines[name] = outline = pen.glyph()
        outline.recalcBounds(None)
        widths[name] = (source.get_glyph_h_advance(glyph), outline.xMin)
    made = FontBuilder(face.upem, isTTF=True)
    made.setupGlyphOrder(list(outlines))
    made.setupCharacterMap({code: names[glyph] for code, glyph in glyph_of.items() if glyph})
    made.setupGlyf(outlines)
    made.setupHorizontalMetrics(widths)
    extents = source.get_font_extents("ltr")
    made.setupHorizontalHeader(ascent=extents.ascender, descent=extents.descender)
    made.setupNameTable({"familyName": "Noto Sans CJK JP", "styleName": "Regular"})
    made.setupOS2()
    made.setupPost()
    file = BytesIO()
    made.save(file)
    return file.getvalue()
