"""Validation: every claim against an oracle, by enumeration where possible and by tests of stated error elsewhere."""
