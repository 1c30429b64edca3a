# Every command works on a machine with only Python 3.11 or 3.12, pip and make.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup demo test test-slow lint docs bench clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[test,lint]'
	@touch $(READY)

setup: $(READY) ## make .venv with mesotherm and its tools

demo: $(READY) ## run the two examples and say where the pictures are
	$(BIN)/mesotherm run examples/thermalization_diode.toml --out demo/thermalization_diode
	$(BIN)/mesotherm run examples/quantum_dot_thermocouple.toml --out demo/quantum_dot_thermocouple
	@echo "Pictures: demo/thermalization_diode/figure.png and demo/quantum_dot_thermocouple/figure.png"

test: $(READY) ## run the tests
	$(BIN)/python -m pytest -n 2 --dist loadscope -m "not slow"

test-slow: $(READY) ## run the tests with large statistics
	$(BIN)/python -m pytest -n 2 --dist loadscope -m slow

lint: $(READY) ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

.venv/.bench: $(READY)
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch .venv/.bench

docs: $(READY) ## write the pages that are generated
	$(BIN)/mesotherm schema --format markdown > docs/device_file.md

bench: .venv/.bench ## measure speed, beside scipy and QuTiP; prints figures, asserts nothing
	$(BIN)/python benchmarks/bench.py

clean: ## remove the environment and everything computed
	rm -rf .venv demo
