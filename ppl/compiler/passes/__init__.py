"""Passes over the typed IR: ``schedule`` lists them in order and runs them, ``query`` prepares a model for
inference."""
