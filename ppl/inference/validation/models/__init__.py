"""Certificates of a method on a model: an oracle is looked for, and what the method claims is tested against it."""
