"""Adding to what is drawn of a site: never twice at one index."""

from __future__ import annotations

from ppl.compiler.check.context import Context
from ppl.compiler.check.frames import Frame, Site, SitePiece
from ppl.compiler.check.tiling import disjoint, meet
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.ir.sizes import Size


def add_piece(cx: Context, site: Site, piece: SitePiece, frame: Frame) -> None:
    """The piece becomes part of what the frame has drawn; meeting an earlier one is an error."""
    for f in cx.own_frames:
        for earlier in f.sites.get(site.name, ()):
            if earlier.span == piece.span and earlier.box == piece.box:
                continue
            if not disjoint(earlier.box, piece.box) and meet(earlier.box, piece.box):
                _twice(cx, site, earlier, piece)
                return
    if site.whole_read is not None and site.kind != "field" and all(not f.is_loop for f in cx.own_frames):
        cx.error(
            "E316",
            f"`{site.name}` is extended after it was read as a whole",
            piece.span,
            "more elements here",
            ((site.whole_read, f"the whole of `{site.name}` is read here"),),
            helps=(Help("read it behind its last definition"),),
        )
        site.whole_read = None
    frame.sites.setdefault(site.name, []).append(piece)


def _twice(cx: Context, site: Site, earlier: SitePiece, piece: SitePiece) -> None:
    if site.kind == "field":
        return
    verb = "defined" if site.kind == "let" else "drawn"
    if not piece.box:
        cx.error(
            "E301",
            f"the random variable `{site.name}` is {verb} twice",
            piece.span,
            "again here",
            ((earlier.span, "first here"),),
            ("each random variable is defined exactly once on each path",),
            (Help("give the second one another name"),),
        )
        return
    text = ", ".join(_range(cx, lo, hi) for lo, hi in _common(earlier, piece))
    code, what = ("E301", "twice") if earlier.box == piece.box else ("E304", "twice where the index ranges overlap")
    cx.error(
        code,
        f"`{site.name}[{text}]` is {verb} {what}",
        piece.span,
        "again here",
        ((earlier.span, "first here"),),
        ("each element of a random variable is defined exactly once",),
    )


def _common(a: SitePiece, b: SitePiece) -> list[tuple[Size, Size]]:
    out = []
    for (lo1, hi1), (lo2, hi2) in zip(a.box, b.box, strict=True):
        lo = lo1 if (lo1 - lo2).provably_nonnegative() else lo2
        hi = hi1 if (hi2 - hi1).provably_nonnegative() else hi2
        out.append((lo, hi))
    return out


def _range(cx: Context, lo: Size, hi: Size) -> str:
    return readable(cx, lo) if hi == lo + 1 else f"{readable(cx, lo)}..{readable(cx, hi)}"


def readable(cx: Context, p: Size) -> str:
    """A polynomial with loop indices under the names that the text gives them."""
    names = {f.id: Size.var(f.index_name) for f in cx.frames if f.index is not None}
    return str(p.substitute(names))
