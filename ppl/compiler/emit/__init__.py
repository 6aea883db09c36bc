"""The emitter: typed IR to measures in JAX."""
