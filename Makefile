# Each target is one command in .venv, which the first use makes; ARGS="..." goes to the command.

BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PYTHON := $(BIN)/python
GRADER := $(PYTHON) -m grader
READY := .venv/student.ready

export PYTHONUTF8 := 1

.PHONY: help setup check watch train xray bundle wheels test test-all lint stubs
.PHONY: mark course gradebook newest bench clean FORCE

help:  ## this list
	@awk -F ':.*## ' ' \
	    BEGIN { print "make TARGET [ARGS=\"...\"]" } \
	    /^## / { print "\n" substr($$0, 4) } \
	    /^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

## For everyone

setup: $(READY)  ## make .venv; every target does that by itself, once
	@echo 'Ready. Next: make check'

check: $(READY)  ## check the exercises:  make check ARGS="ex05"
	@$(GRADER) check $(ARGS) || test $$? -eq 1  # 1 is "not all pass": the board was shown

watch: $(READY)  ## check again at every save
	@$(GRADER) watch $(ARGS)

train: $(READY)  ## train your model, once every exercise passes
	@$(GRADER) train $(ARGS)

xray: $(READY)  ## look inside your model while it reads a text:  make xray TEXT=emma
	@$(GRADER) xray $(if $(TEXT),"$(TEXT)",emma) $(ARGS)

## For instructors

bundle: $(READY)  ## pack the course without its answers:  make bundle ARGS="course.zip"
	@$(GRADER) bundle $(ARGS)

mark: .venv/marking.ready  ## mark what students have handed in (see README)
	@$(GRADER) mark $(ARGS)

course: $(READY)  ## write the course for nbgrader:  make course ARGS="folder"
	@$(GRADER) course $(ARGS)

gradebook: .venv/instructor.ready  ## marks into nbgrader's gradebook (see README)
	@$(GRADER) gradebook $(ARGS)

wheels: $(READY)  ## fetch what students install, for rooms without a network
	@$(PYTHON) -m pip download --disable-pip-version-check --no-input --only-binary :all: \
	    -r requirements/student.txt -d wheels $(ARGS)

## For maintainers

test: .venv/dev.ready  ## test the kit: a sample of every area; some minutes
	@$(PYTHON) -m pytest -m "not slow" $(ARGS)

test-all: .venv/dev.ready  ## test all of it
	@$(PYTHON) -m pytest $(ARGS)

newest: $(READY)  ## play a term with the newest nbgrader
	@$(PYTHON) -m venv --clear build/newest
	@build/newest/bin/python -m pip install -q -r requirements/browser.txt -r requirements/marking.txt \
	    nbgrader psycopg2-binary
	@build/newest/bin/python -m pytest tests/kit/test_term.py tests/kit/test_gradebook.py $(ARGS)

lint: .venv/dev.ready  ## check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

stubs: $(READY)  ## write exercises/ anew from solutions/, keeping every line of yours
	@$(GRADER) stubs $(ARGS)

bench: .venv/bench.ready  ## time the model beside PyTorch (installs it: large)
	@$(GRADER) bench $(ARGS)

clean:  ## remove .venv and caches; your work and its backups stay
	@rm -rf .venv .pytest_cache .ruff_cache .hypothesis build *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements/student.txt
	@sh requirements/install.sh student

.venv/%.ready: requirements/%.txt $(READY)
	@sh requirements/install.sh $*

# A .venv whose Python is gone, as after an upgrade of the system, is made anew.
ifneq ($(shell test -x $(PYTHON) && echo yes),yes)
$(READY): FORCE
endif
