def check_strategies(program): return []
