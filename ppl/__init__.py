"""A probabilistic programming language: typed models, modular inference, checked claims."""
