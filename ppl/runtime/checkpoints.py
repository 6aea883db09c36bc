"""Checkpoints: the state and the draws of an unfinished run in one file, which is complete or does not exist.

Layout: one line of JSON with the SHA-256 of the rest, then a NumPy archive. A write goes to a temporary file that
replaces the old one at once; the old one is kept beside it as ``….previous``."""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ppl.core.errors import DataError

FORMAT = 1


class CheckpointError(DataError):
    """A checkpoint that is damaged, or of another run (exit code 4)."""


class Checkpoint(NamedTuple):
    """``identity``: what the run was of (model, data, method, seed, versions, …); ``iteration``: the next one;
    ``state`` and ``records``: nested dicts and tuples of arrays (``records`` None while nothing is kept); ``seconds``:
    (warm-up, sampling) so far."""

    identity: dict[str, str]
    iteration: int
    state: Any
    records: Any
    seconds: tuple[float, float]


def previous(path: Path) -> Path:
    return path.with_name(path.name + ".previous")


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Replaces ``path`` at once; what was there becomes ``previous(path)``."""
    arrays: dict[str, np.ndarray] = {}
    head = {
        "identity": checkpoint.identity,
        "iteration": checkpoint.iteration,
        "seconds": list(checkpoint.seconds),
        "state": _pack(checkpoint.state, arrays),
        "records": _pack(checkpoint.records, arrays),
    }
    arrays["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)  # type: ignore[arg-type]
    payload = buffer.getvalue()
    line = json.dumps({"format": FORMAT, "sha256": hashlib.sha256(payload).hexdigest()}).encode() + b"\n"
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        file.write(line + payload)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        os.replace(path, previous(path))
    os.replace(temporary, path)


def read(path: Path, identity: dict[str, str] | None = None) -> tuple[Checkpoint, str]:
    """The checkpoint at ``path``, or the one before it where that is damaged (the second result then says so).

    CheckpointError (exit code 4): no file, no undamaged generation, or an ``identity`` that differs, with the
    fields."""
    damage = ""
    for candidate in (path, previous(path)):
        try:
            found = _read_one(candidate)
        except FileNotFoundError:
            damage = damage or f"there is no checkpoint {candidate}"
            continue
        except (ValueError, KeyError, OSError) as error:
            damage = damage or f"checkpoint {candidate} is damaged: {error}"
            continue
        if identity is not None:
            _require_same(candidate, found.identity, identity)
        return (
            found,
            "" if candidate == path else f"{damage}; going on from the one before it, at iteration {found.iteration}",
        )
    raise CheckpointError(damage, helps=("start the run again without --resume",))


def _read_one(path: Path) -> Checkpoint:
    content = path.read_bytes()
    line, newline, payload = content.partition(b"\n")
    if not newline:
        raise ValueError("it is cut off")
    try:
        header = json.loads(line)
    except ValueError:
        raise ValueError("its first line is not that of a checkpoint") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError("its format is not known to this version")
    if hashlib.sha256(payload).hexdigest() != header.get("sha256"):
        raise ValueError("its checksum does not match")
    with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
        arrays = dict(archive)
    head = json.loads(arrays["head"].tobytes())
    return Checkpoint(
        head["identity"],
        head["iteration"],
        _unpack(head["state"], arrays),
        _unpack(head["records"], arrays),
        tuple(head["seconds"]),
    )


def _require_same(path: Path, saved: dict[str, str], wanted: dict[str, str]) -> None:
    names = [n for n in dict.fromkeys([*saved, *wanted]) if saved.get(n) != wanted.get(n)]
    if names:
        raise CheckpointError(
            f"checkpoint {path} is of another run: {', '.join(names)} differ" + ("s" if len(names) == 1 else ""),
            notes=tuple(
                f"{n}: the checkpoint has {_short(saved.get(n))}, this run has {_short(wanted.get(n))}" for n in names
            ),
            helps=("resume with the model, data, method and seed of the checkpoint, or start again without --resume",),
        )


def _short(value: str | None) -> str:
    return "none" if value is None else value if len(value) <= 100 else value[:97] + "…"


def _pack(tree: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The skeleton of ``tree`` for JSON; its arrays are put into ``arrays``."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {"dict": {k: _pack(v, arrays) for k, v in tree.items()}}
    if isinstance(tree, (tuple, list)):
        return {"tuple": [_pack(v, arrays) for v in tree]}
    name = f"a{len(arrays)}"
    arrays[name] = np.asarray(tree)
    return name


def _unpack(skeleton: Any, arrays: dict[str, np.ndarray]) -> Any:
    if skeleton is None:
        return None
    if isinstance(skeleton, str):
        return arrays[skeleton]
    if "dict" in skeleton:
        return {k: _unpack(v, arrays) for k, v in skeleton["dict"].items()}
    return tuple(_unpack(v, arrays) for v in skeleton["tuple"])
