"""What belongs to a run beside its draws: the model, its data, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Record:
    """``files``: the text of the model file and of its imports, by name, the model's own first. ``axes``: dimension
    names by variable. ``constant`` and ``observed``: the data as bound, missing entries as NaN; ``compound`` the
    parameters that are no arrays (records, tuples, sum values) as JSON data. ``environment``: versions, device,
    precision."""

    model: str
    files: Mapping[str, str]
    axes: Mapping[str, tuple[str, ...]]
    sizes: Mapping[str, int]
    constant: Mapping[str, np.ndarray]
    observed: Mapping[str, np.ndarray]
    compound: Mapping[str, Any] = field(default_factory=dict)
    data_hash: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
