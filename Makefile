# The one door to the lab: `make help` lists what it can do. Every target does the set-up it needs by itself, once.

PYTHON := .venv/bin/python
LAB := .venv/lab-installed
DEV := .venv/dev-installed

TAKE_HOME := README.md LICENSE Makefile requirements.txt requirements-dev.txt pyproject.toml .python-version \
	exercises exercise_solutions lvseg data_prep scripts tests docs

.DEFAULT_GOAL := help
.PHONY: help setup lab challenge tensorboard show check reset doctor parameters archive exercises figures test test-slow lint \
	results cross-validate benchmark clean

help:  ## list these targets
	@grep -E '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(LAB)  ## make .venv with Python 3.7 and everything the lab needs

lab: $(LAB)  ## prepare data, train and evaluate the three solutions, show a table; SOURCE=folder for real data
	@$(PYTHON) scripts/lab.py $(SOURCE)

challenge: $(LAB)  ## train the challenge's network by its recipe: make challenge DATA_DIR=folder CHECKPOINT_DIR=folder
	@$(PYTHON) scripts/challenge.py $(if $(DATA_DIR),--data_dir '$(DATA_DIR)') \
		$(if $(CHECKPOINT_DIR),--checkpoint_dir '$(CHECKPOINT_DIR)')

tensorboard: $(LAB)  ## serve logs/ on http://127.0.0.1:6006
	@echo 'TensorBoard: http://127.0.0.1:6006 (Ctrl-C ends it)'
	@$(PYTHON) -m tensorboard.main --logdir logs --host 127.0.0.1 --port 6006 2>/dev/null

show: $(LAB)  ## draw slices with the expert's and the network's contours: make show EXERCISE=cnnDice
	@$(PYTHON) scripts/show.py $(EXERCISE)

check: $(LAB)  ## tell which blanks are filled in rightly: make check EXERCISE=cnn
	@$(PYTHON) scripts/check.py $(EXERCISE) || true  # It has said what is open; make would add "Error 1".

doctor:  ## tell whether the lab can run here, and what to do if it cannot
	@$(MAKE) --no-print-directory --silent setup || true  # A set-up that fails is one of the things to tell.
	@$$([ -x $(PYTHON) ] && echo $(PYTHON) || echo python3) scripts/doctor.py

parameters: $(LAB)  ## count a network's weights and multiplications: make parameters EXERCISE=cnn
	@$(PYTHON) scripts/parameters.py $(EXERCISE)

archive:  ## pack your exercises, the solutions and the pictures into ImageSegmentation.tar.gz, to take home
	@tar --create --gzip --file ImageSegmentation.tar.gz --exclude __pycache__ \
		--transform 's,^,ImageSegmentation/,' $(TAKE_HOME) $(wildcard pictures)
	@echo 'Everything to take home is in ImageSegmentation.tar.gz'

exercises: $(LAB)  ## make exercises/ from exercise_solutions/; a student's work is left alone
	@$(PYTHON) scripts/make_exercises.py

reset: $(LAB)  ## put a blank exercise back, keeping yours beside it: make reset EXERCISE=cnn
	@$(PYTHON) scripts/make_exercises.py --reset $(EXERCISE)

test: $(DEV)  ## run the tests
	@$(PYTHON) -m pytest -q -m 'not slow'

test-slow: $(DEV)  ## run the tests that take long by nature: kills, fuzzing, a browser, the guide's commands
	@$(PYTHON) -m pytest -q -m slow

figures: $(LAB)  ## draw the guide's figures again
	@$(PYTHON) scripts/draw_figures.py

lint: $(DEV)  ## check the format and the style of the code, and that exercises/ is what the solutions make
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@$(PYTHON) scripts/make_exercises.py --check

results: $(LAB)  ## measure the figures of docs/results.md: make results DATA_DIR=folder of records of the 260 slices
	@$(PYTHON) scripts/results.py $(DATA_DIR)

cross-validate: $(LAB)  ## train and evaluate on 5 folds by patient, show a table: make cross-validate DATA_DIR=folder of records
	@$(PYTHON) scripts/cross_validate.py $(DATA_DIR)

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
