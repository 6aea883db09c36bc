"""Inference algorithms: compositions of a few lines each."""
