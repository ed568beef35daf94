# GNU make 3.81 or later. `make help` lists the targets; the README says what to type where there is no make.

VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m
PIP := $(RUN) pip --disable-pip-version-check install -c constraints.txt
ARGS =
NB =
PEERS := build/peers

# The first Python found that the course runs on; `make PYTHON=/path/to/python install` takes another.
SUITABLE := import sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done)

# JupyterLab refuses to run as root (in a container, say) unless it is told to.
ALLOW_ROOT := $(shell test "`id -u`" = 0 && echo --allow-root)

# An upload travels in one message; tornado's limit of 10 MB would cut the connection on a large photograph.
UPLOADS := --ServerApp.tornado_settings='{"websocket_max_message_size": 200000000}'

NBVAL := --nbval-lax --nbval-current-env --nbval-cell-timeout=300 --nbval-sanitize-with=tests/nbval_sanitize.cfg

.PHONY: help install lab test check format lines notebooks student panels ledger evidence bench bench-course checkpoints paintings clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

install: $(VENV)/.installed ## make .venv with the package and what it needs

lab: $(VENV)/.installed ## open the course in JupyterLab (ARGS="--no-browser --port 9000" goes to it)
	$(RUN) jupyterlab $(ALLOW_ROOT) $(UPLOADS) notebooks/00_start_here.ipynb $(ARGS)

test: check ## everything: check, unit tests, browser tests, every notebook (ARGS="-k gram" goes to pytest)
	$(RUN) pytest $(NBVAL) -m "" tests notebooks $(ARGS)

check: $(VENV)/.installed-test ## lint, format, types, directions of imports and number of lines
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(BIN)/lint-imports --no-cache
	$(RUN) tools.count_lines

lines: $(VENV)/.installed ## count the lines of the core and of the whole package, and hold them against the limits
	$(RUN) tools.count_lines

format: $(VENV)/.installed-test ## lay out code and notebooks as `make check` wants them
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

notebooks: $(VENV)/.installed ## run the notebooks again and save their outputs (NB="04 05": only these)
	$(RUN) tools.run_notebooks $(NB)

student: $(VENV)/.installed ## copies of the notebooks for a class, without outputs and solutions, in build/student
	$(RUN) tools.student_notebooks $(NB)

panels: $(VENV)/.installed ## a notebook for each chapter that holds its panels and what they need, in build/panels
	$(RUN) tools.panel_notebooks $(NB)

ledger: $(VENV)/.installed ## write LEDGER.md, the table of all claims, from the notebooks' outputs
	$(RUN) tools.make_ledger

evidence: $(VENV)/.installed ## measure what takes too long for a chapter, into data/evidence (NAME="ch02_widths"; minutes)
	$(RUN) tools.make_evidence $(NAME)

bench: $(PEERS)/.installed ## ours against the floor and against other packages (ARGS="maximization --sizes 224"; minutes)
	$(PEERS)/bin/python -W ignore -m benchmarks $(ARGS)

bench-course: $(VENV)/.installed ## run time and memory of every notebook, the slowest cells, import, first picture (minutes)
	$(RUN) benchmarks.course

checkpoints: $(VENV)/.installed-test ## train the networks that the course ships, into data/ (minutes)
	$(RUN) tools.convert_squeezenet
	$(RUN) tools.make_checkpoints
	$(RUN) tools.train_decoders
	$(RUN) tools.train_style_net

paintings: $(VENV)/.installed ## paint the paintings that the course ships, into data/ (seconds)
	$(RUN) tools.make_paintings

clean: ## remove what was built, .venv included
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache notebooks/out
	find benchmarks cnnlab tests tools notebooks -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

# The stamps say that .venv is as pyproject.toml and constraints.txt want it.
$(VENV)/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.13 found: install one, or: make install PYTHON=/path/to/python"; exit 1; }
	$(RUN) pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	@touch $@

# What attacks and attributions are compared with, without their wishes: torchattacks asks for an older requests.
$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) -e ".[test]"
	$(PIP) --no-deps torchattacks captum
	@touch $@

# The peers see the course's packages behind their own.
$(PEERS)/.installed: benchmarks/peers.txt $(VENV)/.installed
	$(BIN)/python -m venv $(PEERS)
	$(BIN)/python -c "import sysconfig; print('import site; site.addsitedir(%r)' % sysconfig.get_path('purelib'))" \
		> `$(PEERS)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))"`/course.pth
	$(PEERS)/bin/python -m pip --disable-pip-version-check install --no-deps -r benchmarks/peers.txt
	@touch $@
