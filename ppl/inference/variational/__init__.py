"""Variational inference: automatic guides, objectives as functions of importance weights, and the fit."""
