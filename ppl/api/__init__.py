"""The Python interface: modules, applied models, inference, results."""
