"""SMC and its relatives as runs: what the runtime drives, built from the compositions of ``algorithms``."""
