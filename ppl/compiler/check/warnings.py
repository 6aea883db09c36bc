def warn(program, parts, sink): return None
