# The one door to the lab: `make help` lists what it can do. Every target does the set-up it needs by itself, once.

PYTHON := .venv/bin/python
LAB := .venv/lab-installed
DEV := .venv/dev-installed

.DEFAULT_GOAL := help
.PHONY: help setup lab tensorboard exercises reset test test-slow lint results benchmark clean

help:  ## list these targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(LAB)  ## make .venv with Python 3.7 and everything the lab needs

lab: $(LAB)  ## prepare data, train and evaluate the three solutions, show a table; SOURCE=folder for real data
	@$(PYTHON) scripts/lab.py $(SOURCE)

tensorboard: $(LAB)  ## serve logs/ on http://127.0.0.1:6006
	@echo 'TensorBoard: http://127.0.0.1:6006 (Ctrl-C ends it)'
	@$(PYTHON) -m tensorboard.main --logdir logs --host 127.0.0.1 --port 6006 2>/dev/null

exercises: $(LAB)  ## make exercises/ from exercise_solutions/; a student's work is left alone
	@$(PYTHON) scripts/make_exercises.py

reset: $(LAB)  ## put a blank exercise back, keeping yours beside it: make reset EXERCISE=cnn
	@$(PYTHON) scripts/make_exercises.py --reset $(EXERCISE)

test: $(DEV)  ## run the tests
	@$(PYTHON) -m pytest -q -m 'not slow'

test-slow: $(DEV)  ## run the tests that take long by nature: kills, fuzzing, a browser, the guide's commands
	@$(PYTHON) -m pytest -q -m slow

lint: $(DEV)  ## check the format and the style of the code, and that exercises/ is what the solutions make
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@$(PYTHON) scripts/make_exercises.py --check

results: $(LAB)  ## measure the figures of docs/results.md: make results DATA_DIR=folder of records of the 260 slices
	@$(PYTHON) scripts/results.py $(DATA_DIR)

benchmark: $(LAB)  ## measure speed and memory: steps, evaluation, data preparation
	@$(PYTHON) scripts/benchmark.py

clean:  ## remove all runs and their logs; data and .venv stay
	rm -rf logs

$(LAB): requirements.txt scripts/setup.sh
	@scripts/setup.sh requirements.txt
	@touch $@

$(DEV): requirements-dev.txt $(LAB)
	@scripts/setup.sh requirements-dev.txt
	@touch $@
