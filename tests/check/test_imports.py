"""Imports: names behind the alias, types and constructors included; never outside the project; no circles."""

from __future__ import annotations

from pathlib import Path

from ppl.compiler.pipeline import check_file

PRIORS = """
type Shape = | Circle(real) | Point
const WIDE: pos = 10
fn double(x: real) -> real { return 2 * x }
dist Wide(loc: real) over real {
  logpdf(x) { return -abs(x - loc) / WIDE }
}
model effect(scale: pos = 1) -> real {
  z ~ Normal(0, scale)
  return WIDE * z
}
"""
MAIN = """
import "priors.ppl" as priors

fn size(s: priors.Shape) -> real {
  return match s with { Circle(r) => r, Point => 0 }
}

model main() {
  e ~ priors.effect(scale=2)
  w ~ priors.Wide(e.z)
  let s = priors.Circle(priors.WIDE)
  data y ~ Normal(priors.double(e) + w + size(s), 1)
}
"""


def project(tmp_path: Path, **files: str) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pyproject.toml").write_text("")
    for name, text in files.items():
        (tmp_path / "project" / f"{name}.ppl").write_text(text)
    return tmp_path / "project" / "main.ppl"


def codes(path: Path) -> list[str]:
    return [d.code for d in check_file(path).diagnostics.sorted()]


def test_names_of_an_import(tmp_path: Path):
    result = check_file(project(tmp_path, priors=PRIORS, main=MAIN))
    assert [d.message for d in result.diagnostics.items] == []
    assert [m.name for m in result.program.models] == ["priors.effect", "main"]
    assert [d.name for d in result.program.dists] == ["priors.Wide"]
    assert [s.name for s in result.program.sums] == ["priors.Shape"]


def test_outside_the_project(tmp_path: Path):
    (tmp_path / "secret.ppl").write_text(PRIORS)
    path = project(tmp_path, main='import "../secret.ppl" as s\n\nmodel m() {\n  x ~ Normal(s.WIDE, 1)\n}\n')
    assert codes(path) == ["E105"]


def test_a_link_out_of_the_project(tmp_path: Path):
    (tmp_path / "secret.ppl").write_text(PRIORS)
    path = project(tmp_path, main='import "link.ppl" as s\n\nmodel m() {\n  x ~ Normal(0, 1)\n}\n')
    (path.parent / "link.ppl").symlink_to(tmp_path / "secret.ppl")
    assert codes(path) == ["E105"]


def test_missing_and_circular_files(tmp_path: Path):
    path = project(
        tmp_path,
        main='import "other.ppl" as o\nimport "nowhere.ppl" as n\n\nmodel m() {\n  x ~ Normal(0, 1)\n}\n',
        other='import "main.ppl" as back\n\nfn f(x: real) -> real {\n  return x\n}\n',
    )
    assert sorted(codes(path)) == ["E106", "E107"]


def test_findings_of_an_imported_file_are_placed_there(tmp_path: Path):
    path = project(
        tmp_path,
        main='import "bad.ppl" as b\n\nmodel m() {\n  x ~ Normal(0, 1)\n}\n',
        bad="model q() {\n  y ~ Normal(0, -1)\n}\n",
    )
    [finding] = check_file(path).diagnostics.items
    assert finding.code == "E401" and finding.primary.span.file.endswith("bad.ppl")
