"""The main job on the embedded lab: what `make demo` shows and what the tests and benchmarks run."""
