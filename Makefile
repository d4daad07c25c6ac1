# The one door to the lab: `make help` lists what it can do. Every target does the set-up it needs by itself, once.

# What each target takes beside TF, GPU and WHEELS, which go with all of them.
TAKEN_setup := EXTRA
TAKEN_wheels := EXTRA
TAKEN_install := EXTRA PREFIX
TAKEN_desk := DESK
TAKEN_doctor := STUDENTS
TAKEN_clean := OLD
TAKEN_lab := SOURCE
TAKEN_tensorboard := HOLD
TAKEN_challenge := DATA_DIR CHECKPOINT_DIR
TAKEN_show := EXERCISE DATA SLICES CHECKPOINT_DIR OUT
TAKEN_segment := STUDY CHECKPOINT_DIR OUT
TAKEN_check := EXERCISE
TAKEN_parameters := EXERCISE
TAKEN_reset := EXERCISE
TAKEN_results := DATA_DIR
TAKEN_search := EXERCISE TRIALS DATA_DIR
TAKEN_cross-validate := DATA_DIR
TAKEN_grade := SUBMISSIONS OUT SEED
TAKEN_handout := OUT SEED
TAKEN_cluster := EXERCISE WORKERS DATA_DIR CHECKPOINT_DIR FLAGS
TAKEN_volumes := CHECKPOINT_DIR STUDIES FOLDS OUT

# A variable that the target knows nothing of would be passed over, and other data taken than was meant.
TAKEN := TF GPU WHEELS $(foreach target,$(MAKECMDGOALS),$(TAKEN_$(target)))
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
UNKNOWN := $(filter-out $(TAKEN),$(GIVEN))
$(if $(UNKNOWN),$(error ERROR: make $(MAKECMDGOALS) does not take $(UNKNOWN); it takes $(TAKEN)))

# Names so common that a shell may have them for something else.
$(foreach name,$(filter-out $(GIVEN),DATA SLICES STUDY STUDIES FOLDS OUT EXTRA TRIALS PREFIX DESK STUDENTS OLD SUBMISSIONS SEED WORKERS FLAGS HOLD),$(eval override $(name) :=))

# What is typed after make, as in SOURCE="my data", reaches the commands through the environment, and the shell as it stands.
TYPED := TF GPU WHEELS SOURCE EXERCISE DATA DATA_DIR CHECKPOINT_DIR SLICES STUDY STUDIES FOLDS OUT EXTRA TRIALS PREFIX DESK STUDENTS OLD SUBMISSIONS SEED WORKERS FLAGS HOLD
$(foreach name,$(TYPED),$(eval override $(name) := $$(value $(name))))
export $(TYPED)

VENV := .venv$(addprefix -tf,$(filter-out 1 1.15,$(TF)))
PYTHON := $(VENV)/bin/python

# Each process of the tests needs a core and up to 2 GB.
IN_PARALLEL := --numprocesses logical --maxprocesses 4

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev wheels install desk lab challenge tensorboard show segment check grade handout reset doctor \
	parameters archive exercises figures test test-slow notebooks notebook test-exchange attack lint results search \
	cross-validate volumes benchmark clean cluster

help:  ## list these targets
	@grep -E '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup:  ## make .venv with TensorFlow 1.15 and all the lab needs; TF=2, with any target: TensorFlow 2 in .venv-tf2 (GPU=1: CUDA); EXTRA=search
	@scripts/setup.sh

setup-dev: setup  ## add the tools that test and lint need
	@scripts/setup.sh requirements-dev.txt

wheels: setup  ## fetch all that setup installs into wheels/, for machines without a network: make setup WHEELS=wheels
	@scripts/setup.sh wheels

install:  ## install one lab for many users of a server, read-only, as root: make install PREFIX=/opt/lab
	@scripts/install.sh

desk: setup  ## where one lab is installed for many: a desk of your own, make -C /opt/lab desk DESK=folder
	@$(PYTHON) scripts/desk.py $${DESK:+"$$DESK"}

lab: setup  ## prepare data, train and evaluate the three solutions, show a table; SOURCE=folder for real data
	@$(PYTHON) scripts/lab.py $${SOURCE:+"$$SOURCE"}

challenge: setup  ## train the challenge's network by its recipe: make challenge DATA_DIR=folder CHECKPOINT_DIR=folder
	@$(PYTHON) scripts/challenge.py $${DATA_DIR:+--data_dir "$$DATA_DIR"} \
		$${CHECKPOINT_DIR:+--checkpoint_dir "$$CHECKPOINT_DIR"}

tensorboard: setup  ## serve logs/ in the background, on http://127.0.0.1:6006 or another port that is free; HOLD=1: until Ctrl-C
	@case "$$HOLD" in \
		''|1) $(PYTHON) scripts/board.py $${HOLD:+--hold};; \
		*) echo "ERROR: HOLD=$$HOLD: there is only HOLD=1, which holds the shell until Ctrl-C." >&2; exit 1;; \
	esac

show: setup  ## draw slices with the expert's and the network's contours: make show EXERCISE=cnnDice DATA=folder SLICES=31:60
	@$(PYTHON) scripts/show.py $${EXERCISE:+"$$EXERCISE"} $${DATA:+--data="$$DATA"} $${SLICES:+--slices="$$SLICES"} \
		$${CHECKPOINT_DIR:+--checkpoint_dir="$$CHECKPOINT_DIR"} $${OUT:+--out="$$OUT"}

segment: setup  ## volumes and ejection fraction: make segment STUDY=folder of DICOM files CHECKPOINT_DIR=folder OUT=folder
	@$(PYTHON) scripts/segment.py $${STUDY:+"$$STUDY"} $${CHECKPOINT_DIR:+--checkpoint_dir="$$CHECKPOINT_DIR"} \
		$${OUT:+--out="$$OUT"}

check: setup  ## tell which blanks are filled in rightly: make check EXERCISE=cnn
	@$(PYTHON) scripts/check.py $${EXERCISE:+"$$EXERCISE"} || true  # It has said what is open; make would add "Error 1".

grade: setup  ## grade a class: make grade SUBMISSIONS=folder OUT=folder, with a folder or an archive for each student
	@$(PYTHON) scripts/grade.py $${SUBMISSIONS:+--submissions "$$SUBMISSIONS"} $${OUT:+--out "$$OUT"} \
		$${SEED:+--seed "$$SEED"}

handout: setup  ## make handout/ for a class, without solutions and answers, and its graders; SEED=7 for other numbers
	@$(PYTHON) scripts/handout.py $${OUT:+--out "$$OUT"} $${SEED:+--seed "$$SEED"}

doctor:  ## tell whether the lab can run here, with which TensorFlow and GPU, and what to do if it cannot; STUDENTS=30
	@scripts/setup.sh || true  # A set-up that fails is one of the things to tell.
	@for python in $(PYTHON) python3 python; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null; then \
			exec "$$python" scripts/doctor.py $${TF:+--tf "$$TF"} $${STUDENTS:+--students "$$STUDENTS"}; \
		fi; \
	done; \
	echo 'NOT OK  no Python 3 that runs, neither $(PYTHON) nor python3. Install one, then: make setup'; exit 1

parameters: setup  ## count a network's weights and multiplications: make parameters EXERCISE=cnn
	@$(PYTHON) scripts/parameters.py $${EXERCISE:+"$$EXERCISE"}

archive: setup  ## pack your exercises, the solutions and the pictures into ImageSegmentation.tar.gz, to take home
	@$(PYTHON) scripts/archive.py

exercises: setup  ## make exercises/ from exercise_solutions/; a student's work is left alone
	@$(PYTHON) scripts/make_exercises.py

reset: setup  ## put a blank exercise back, keeping yours beside it: make reset EXERCISE=cnn
	@$(PYTHON) scripts/make_exercises.py --reset $${EXERCISE:+"$$EXERCISE"}

test: setup-dev  ## run the tests
	@$(PYTHON) -m pytest -q $(IN_PARALLEL) --dist worksteal -m 'not slow and not exchange'

test-slow: setup-dev  ## run the tests that take long by nature: kills, fuzzing, a browser, the guide's commands
	@$(PYTHON) -m pytest -q $(IN_PARALLEL) --dist loadfile -m slow  # TensorBoard's port can be had once at a time.

attack: setup-dev  ## throw 10,000 faulty inputs at the lab, and kill it 100 times; make test-slow does a tenth of it
	@$(PYTHON) -m pytest -q $(IN_PARALLEL) --dist worksteal tests/attack --whole

test-exchange: setup-dev  ## run the tests of what one TensorFlow writes and another reads
	@$(PYTHON) -m pytest -q --numprocesses 2 -m exchange

figures: setup-dev  ## draw the guide's figures again
	@$(PYTHON) scripts/draw_figures.py

notebooks: setup  ## make the guide's notebooks, in notebooks/: two languages, for students and with solutions
	@EXTRA=notebook scripts/setup.sh
	@$(PYTHON) scripts/make_notebooks.py

notebook: notebooks  ## work in the notebooks: JupyterLab, for this machine alone, on a port that is free
	@$(PYTHON) scripts/notebook.py

lint: setup-dev  ## check the format and the style of the code, and that exercises/ is what the solutions make
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/ruff check --quiet .
	@$(PYTHON) scripts/make_exercises.py --check

results: setup  ## measure the figures of docs/results.md: make results DATA_DIR=folder of records of the 260 slices
	@$(PYTHON) scripts/results.py $${DATA_DIR:+"$$DATA_DIR"}

search: setup  ## search for better settings, by Optuna: make search EXERCISE=cnnDice TRIALS=20
	@EXTRA=search scripts/setup.sh
	@$(PYTHON) scripts/search.py $${EXERCISE:+"$$EXERCISE"} $${TRIALS:+--trials="$$TRIALS"} \
		$${DATA_DIR:+--data_dir="$$DATA_DIR"}

cross-validate: setup  ## train and evaluate on 5 folds by patient, show a table: make cross-validate DATA_DIR=folder of records
	@$(PYTHON) scripts/cross_validate.py $${DATA_DIR:+"$$DATA_DIR"}

volumes: setup  ## measure how far volumes and EF are off, by folders CHECKPOINT_DIR, STUDIES, FOLDS, OUT
	@$(PYTHON) scripts/measure_volumes.py $${CHECKPOINT_DIR:+--checkpoint_dir="$$CHECKPOINT_DIR"} \
		$${STUDIES:+--studies="$$STUDIES"} $${FOLDS:+--folds="$$FOLDS"} $${OUT:+--out="$$OUT"}

cluster: setup  ## train by several processes of this machine: make cluster EXERCISE=cnnDice WORKERS=2 FLAGS="--batch_size 4"
	@$(PYTHON) scripts/start_cluster.py $${EXERCISE:+"$$EXERCISE"} $${WORKERS:+--workers="$$WORKERS"} \
		$${DATA_DIR:+--data_dir="$$DATA_DIR"} $${CHECKPOINT_DIR:+--checkpoint_dir="$$CHECKPOINT_DIR"} $$FLAGS

benchmark: setup  ## measure speed and memory: steps, evaluation, data preparation
	@$(PYTHON) scripts/benchmark.py

clean: $(if $(OLD),setup)  ## remove all runs and their logs; OLD=1: those that were moved aside; data and .venv stay
	@case "$$OLD" in \
		'') echo rm -rf logs; rm -rf logs;; \
		1) $(PYTHON) scripts/clean.py;; \
		*) echo "ERROR: OLD=$$OLD: there is only OLD=1, which removes the runs that were moved aside." >&2; exit 1;; \
	esac
