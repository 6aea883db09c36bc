"""Models written as Python functions: traced by JAX, staged into the same IR as ``.ppl`` files."""
