"""A small file in the user's cache folder that saves rebuilding the parse table. Never a reason to fail."""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def key(*texts: str) -> str:
    """Changes with the texts, with Lark and with Python."""
    digest = hashlib.sha256("\0".join((*texts, _lark(), sys.version)).encode())
    return digest.hexdigest()[:24]


def _lark() -> str:
    """Tells one installed Lark from another, without the cost of importing it or of reading package metadata."""
    spec = find_spec("lark")
    if spec is None or spec.origin is None:
        return "none"
    found = os.stat(spec.origin)
    return f"{spec.origin} {found.st_size} {found.st_mtime_ns}"


def folder() -> Path:
    """Where this user's caches are kept on this system; ``PPL_CACHE_DIR`` overrides it."""
    if own := os.environ.get("PPL_CACHE_DIR"):
        return Path(own)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "ppl" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ppl"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ppl"


def load(key: str) -> Any | None:
    """What was stored under ``key``, or None: absent, unreadable or damaged files are the same to the caller."""
    try:
        data = (folder() / f"grammar-{key}").read_bytes()
        digest, body = data[:32], data[32:]
        return marshal.loads(body) if hashlib.sha256(body).digest() == digest else None
    except (OSError, RuntimeError, ValueError, EOFError, TypeError):
        return None


def store(key: str, value: Any) -> None:
    """Stores ``value``; a folder that cannot be written is no error."""
    import tempfile

    body = marshal.dumps(value)
    try:
        target = folder()
        target.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(body).digest() + body)
        os.replace(name, target / f"grammar-{key}")
    except (OSError, RuntimeError):
        return
