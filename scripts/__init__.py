"""Commands: the `zhiting` command line, evaluation and benchmarks; each one thin."""
