"""The contract between the compiler's emitter and inference: targets, traces, distributions, bijections."""
