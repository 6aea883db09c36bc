"""Inference methods as plain values: names, parameters, claims and needs. Nothing here imports JAX before a method
runs."""
