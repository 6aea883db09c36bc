"""The order of the layers, read from the imports in the source; no cycles; what must not be imported at start."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ppl"

LAYERS = {
    # part: the parts of ppl that it may import (itself always), and the outside packages
    "compiler.diagnostics": (set(), set()),
    "compiler.syntax": ({"compiler.diagnostics"}, {"lark"}),
    "compiler.ir": ({"compiler.diagnostics"}, set()),
    "compiler.check": ({"compiler.diagnostics", "compiler.syntax", "compiler.ir"}, set()),
    "compiler.passes": ({"compiler.diagnostics", "compiler.ir"}, set()),
    "compiler.pipeline": (
        {"compiler.diagnostics", "compiler.syntax", "compiler.ir", "compiler.check", "compiler.passes"},
        {"lark"},
    ),
    "core": ({"core"}, {"jax", "equinox", "numpyro", "jaxtyping", "numpy", "diffrax", "scipy"}),
    "compiler.emit": (
        {"compiler.diagnostics", "compiler.ir", "compiler.passes", "core"},
        {"jax", "equinox", "jaxtyping", "numpy", "numpyro"},
    ),
    "reference": ({"compiler.diagnostics", "compiler.ir", "compiler.passes"}, {"numpy", "scipy"}),
    "inference": ({"core"}, {"jax", "equinox", "jaxtyping", "numpy", "blackjax", "optax", "scipy", "jaxlib"}),
    "runtime": ({"core", "inference"}, {"jax", "jaxlib", "equinox", "jaxtyping", "numpy"}),
    "runtime.data": ({"core", "compiler.ir", "compiler.diagnostics"}, {"numpy", "pyarrow", "netCDF4"}),
    "runtime.results": ({"core", "inference", "compiler.ir"}, {"numpy", "scipy", "xarray", "arviz_base"}),
}
ADAPTERS = {"blackjax": "inference/adapters", "optax": "inference/adapters"}


def part_of(module: str) -> str:
    """The part that a module below ``ppl`` belongs to (``compiler.emit`` for ``compiler.emit.bind``); "" for the
    surface."""
    fitting = [p for p in LAYERS if module == p or module.startswith(p + ".")]
    return max(fitting, key=len, default="")


def files():
    return sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path, late: bool):
    """Names of imported modules; with ``late`` also those inside functions. Imports for type checkers do not count."""

    def visit(node: ast.AST):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not late:
                continue
            if isinstance(child, ast.Import):
                yield from (a.name for a in child.names)
            elif isinstance(child, ast.ImportFrom) and child.level == 0:
                yield from (f"{child.module}.{a.name}" for a in child.names)
            yield from visit(child)

    return set(visit(ast.parse(path.read_text())))


@pytest.mark.parametrize("path", files(), ids=module_of)
def test_imports_keep_to_the_layers(path):
    part = part_of(module_of(path))
    if not part:
        return
    inside, outside = LAYERS[part]
    for name in imports(path, late=True):
        if name.split(".")[0] == "ppl":
            other = part_of(name.removeprefix("ppl."))
            assert other == part or other in inside or other.startswith(part + "."), f"{part} imports {name}"
        else:
            top = name.split(".")[0]
            assert top in sys.stdlib_module_names or top in outside, f"{part} imports {name}"


@pytest.mark.parametrize("package", ADAPTERS)
def test_other_samplers_and_optimisers_stand_behind_one_adapter(package):
    for path in files():
        if any(n.split(".")[0] == package for n in imports(path, late=True)):
            assert ADAPTERS[package] in path.as_posix(), f"{path} imports {package}"


def test_no_import_cycles():
    known = {f"ppl.{module_of(p)}".removesuffix(".") for p in files()}
    graph = {}
    for path in files():
        name = f"ppl.{module_of(path)}".removesuffix(".")
        found = set()
        for target in imports(path, late=False):
            module = target if target in known else target.rpartition(".")[0]
            if module in known and module != name and not name.startswith(module + "."):
                found.add(module)
        graph[name] = found
    done, path_ = set(), []

    def visit(module):
        if module in path_:
            pytest.fail("import cycle: " + " → ".join([*path_[path_.index(module) :], module]))
        if module in done:
            return
        path_.append(module)
        for other in sorted(graph[module]):
            visit(other)
        path_.pop()
        done.add(module)

    for module in graph:
        visit(module)


def loaded(code: str) -> set[str]:
    """The top-level packages in memory after ``code`` in a fresh interpreter."""
    script = f"import sys\n{code}\nprint(' '.join(sorted({{m.split('.')[0] for m in sys.modules}})))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(out.stdout.splitlines()[-1].split())


HEAVY = {"jax", "jaxlib", "numpyro", "blackjax", "equinox", "optax", "xarray", "arviz_base", "pandas", "scipy"}


def test_importing_ppl_imports_nothing_heavy():
    assert not loaded("import ppl") & (HEAVY | {"numpy", "lark", "click"})


def test_checking_a_model_imports_no_jax(tmp_path):
    model = tmp_path / "m.ppl"
    model.write_text("model m() {\n  x ~ Normal(0, 1)\n  data y ~ Normal(x, 1)\n}\n")
    for verb in ("check", "info", "ir", "fmt --check"):
        argv = [*verb.split(), str(model)]
        assert not loaded(f"from ppl.cli.main import run\nassert run({argv!r}) == 0") & (HEAVY | {"numpy"}), verb


def test_file_sizes():
    """Files stay small: the median near 150 lines, none of more than 800."""
    sizes = sorted(len(p.read_text().splitlines()) for p in files())
    assert sizes[len(sizes) // 2] <= 170
    large = {module_of(p): len(p.read_text().splitlines()) for p in files()}
    assert {m: n for m, n in large.items() if n > 800} == {}
