# GNU make 3.81 or later. `make help` lists the targets; the README says what to type where there is no make.

VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m
# A .venv made with HASHES=1 stays so: what is fetched into it has its hash in locked/, or in the file TORCH, which it notes.
HASHES ?= $(wildcard $(VENV)/.with-hashes)
TORCH := $(or $(shell cat $(VENV)/.with-hashes 2>/dev/null),locked/torch.txt)
LOCKED := $(RUN) pip --disable-pip-version-check install --require-hashes --no-deps
PIP := $(RUN) pip --disable-pip-version-check install $(if $(HASHES),--no-index --no-build-isolation )-c constraints.txt
ARGS =
# `make lab` lays the reader's copy here: git does not know it, so that a `git pull` never meets their work.
FOLDER = cnnlab-course
NB =
NET = squeezenet
PEERS := build/peers

# The first Python found that the course runs on; `make PYTHON=/path/to/python install` takes another.
SUITABLE := import sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done)

NBVAL := --nbval-lax --nbval-current-env --nbval-cell-timeout=300 --nbval-sanitize-with=tests/nbval_sanitize.cfg
NO_BROWSER := $(NBVAL) -m "not browser" tests notebooks

.PHONY: help install lab test soak test-machines test-far test-closed test-oldest check format lines notebooks student assignments hub panels apps slides site microscope ledger evidence bench bench-course checkpoints paintings mutants lock audit clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

install: $(VENV)/.installed ## make .venv with the package and what it needs (HASHES=1: each file's hash is checked)

lab: $(VENV)/.installed ## open your copy of the course in JupyterLab (ARGS="--no-browser" goes to it; FOLDER=notebooks: no copy)
	$(RUN) cnnlab lab "$(FOLDER)" $(ARGS)

test: check ## everything: check, unit tests, browser tests, every notebook (ARGS="-k gram" goes to pytest)
	$(RUN) pytest $(NBVAL) -m "" tests notebooks $(ARGS)

test-machines: test-far test-closed ## the tests, browser apart, on machines unlike yours: see CONTRIBUTING.md (Linux; an hour, -j2: half)

test-far test-closed: test-%: $(VENV)/.installed-test
	$(RUN) tools.machines $* $(NO_BROWSER) $(ARGS)

test-oldest: build/oldest/.installed ## the tests, browser apart, with the oldest versions that pyproject.toml admits (half an hour)
	PATH="$$PATH:$(CURDIR)/$(BIN)" build/oldest/bin/python -m pytest $(NO_BROWSER) $(ARGS)

mutants: build/mutants/.installed ## change the core at one place after another: does a test fail? (ARGS="cnnlab.steps*"; half an hour)
	rm -rf build/mutants/mutants
	cd build/mutants && env -u PYTHONDONTWRITEBYTECODE PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 OMP_NUM_THREADS=1 bin/mutmut run $(ARGS)
	cd build/mutants && bin/python -m tools.mutants

check: $(VENV)/.installed-test ## lint, format, types, directions of imports and number of lines
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(BIN)/lint-imports --no-cache
	$(RUN) tools.count_lines

soak: $(VENV)/.installed-test ## five minutes of random actions on panels in a real Lab (SOAK_SEED=7 repeats a run)
	SOAK=100 $(RUN) pytest -s -m "" tests/browser/test_soak.py $(ARGS)

lines: $(VENV)/.installed ## count the lines of the core and of the whole package, and hold them against the limits
	$(RUN) tools.count_lines

format: $(VENV)/.installed-test ## lay out code and notebooks as `make check` wants them
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

notebooks: $(VENV)/.installed ## run the notebooks again and save their outputs (NB="04 05": only these)
	$(RUN) tools.run_notebooks $(NB)

student: $(VENV)/.installed ## copies of the notebooks for a class, without outputs and solutions, in build/student
	$(RUN) tools.student_notebooks $(NB)

assignments: $(VENV)/.installed-classroom ## a course folder for nbgrader, in build/assignments (NB="01 02" ARGS="--folder ~/marking")
	$(RUN) tools.assignments $(NB) $(ARGS)

hub: $(VENV)/.installed-hub build/hub/.installed ## JupyterHub for a class on this server, as root; TEACHING.md says what to do before
	$(RUN) jupyterhub -f deploy/jupyterhub_config.py $(ARGS)

panels: $(VENV)/.installed ## a notebook for each chapter that holds its panels and what they need, in build/panels
	$(RUN) tools.panel_notebooks $(NB)

apps: $(VENV)/.installed-apps ## the panels as pages without code, in the browser (NB="05", ARGS="--no-browser --port=9000")
	$(RUN) tools.make_apps $(NB) -- $(ARGS)

slides: $(VENV)/.installed ## a deck of slides for each chapter, HTML and PDF, in build/slides (needs npm)
	$(RUN) tools.make_slides $(NB)

microscope: $(VENV)/.installed-microscope ## a page for every channel of a network, in build/microscope (NET=resnet50 ARGS="--layers layer3")
	$(RUN) cnnlab.microscope --net $(NET) $(ARGS)

site: $(VENV)/.installed-site ## the course as a book to read in a browser, in build/site (needs npm once)
	$(RUN) tools.site

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

lock: $(VENV)/.installed build/supply/.installed ## write locked/, every pin with its files' hashes, and the hub's lock (needs npm)
	$(RUN) tools.lock
	npm install --prefix deploy --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund

audit: $(VENV)/.installed build/supply/.installed ## licenses and known vulnerabilities of what is locked (asks the package index)
	$(RUN) tools.audit

clean: ## remove what was built, .venv included
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache notebooks/out
	find benchmarks cnnlab tests tools notebooks -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

NEED_PYTHON = @test -n "$(PYTHON)" || { \
	echo "No Python 3.11 to 3.13 found: install one, or: make install PYTHON=/path/to/python"; exit 1; }

# The stamps say that .venv is as pyproject.toml and constraints.txt want it.
$(VENV)/.installed: pyproject.toml constraints.txt $(if $(HASHES),$(VENV)/.hashed)
	$(NEED_PYTHON)
	$(RUN) pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	@touch $@

# pip checks the hash of what it fetches, not of what is there already: so this begins with an empty .venv.
$(VENV)/.with-hashes:
	$(NEED_PYTHON)
	@test ! -e $(VENV) || { echo "$(VENV) may hold packages whose hash nobody checked: remove it first, or name another: VENV=.venv-2"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@echo "$(TORCH)" > $@

# The packages of all extras. Installing a wheel runs no code of its package; what has to be built comes last.
$(VENV)/.hashed: $(VENV)/.with-hashes locked/wheels.txt locked/sources.txt $(TORCH)
	$(LOCKED) --only-binary :all: -r locked/wheels.txt -r $(TORCH)
	$(LOCKED) --no-build-isolation -r locked/sources.txt
	@touch $@

# An extra of pyproject.toml by its name: site, apps, classroom, hub, microscope.
$(VENV)/.installed-%: $(VENV)/.installed
	$(PIP) -e ".[$*]"
	@touch $@

# The lock holds the hashes; no package's own script is run, because this is root's.
build/hub/.installed: deploy/package.json deploy/package-lock.json
	@command -v npm >/dev/null || { echo "The hub needs npm: install Node.js 18 or later."; exit 1; }
	mkdir -p build/hub && cp deploy/package.json deploy/package-lock.json build/hub
	npm ci --prefix build/hub --ignore-scripts --no-audit --no-fund
	@touch $@

# What attacks and attributions are compared with, without their wishes: torchattacks asks for an older requests.
$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) -e ".[test,site,apps,classroom,hub,microscope]"
	$(PIP) --no-deps torchattacks captum
	@touch $@

# What `make lock` and `make audit` ask with, in an environment of its own.
build/supply/.installed: $(VENV)/.installed
	$(BIN)/python -m venv build/supply
	build/supply/bin/python -m pip --disable-pip-version-check install uv==0.13.9 pip-audit==2.10.1
	@touch $@

# An environment that sees the course's packages behind its own.
define BEHIND_OURS
$(BIN)/python -m venv $(@D)
$(BIN)/python -c "import sysconfig; print('import site; site.addsitedir(%r)' % sysconfig.get_path('purelib'))" \
	> `$(@D)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))"`/course.pth
endef

$(PEERS)/.installed: benchmarks/peers.txt $(VENV)/.installed
	$(BEHIND_OURS)
	$(PEERS)/bin/python -m pip --disable-pip-version-check install --no-deps -r benchmarks/peers.txt
	@touch $@

# mutmut works in the folder where it starts: this one sees the course's files, and gets the changed copies.
build/mutants/.installed: $(VENV)/.installed-test
	$(BEHIND_OURS)
	build/mutants/bin/python -m pip --disable-pip-version-check install -c constraints.txt mutmut==3.8.1
	for f in cnnlab data tests tools README.md pyproject.toml; do ln -sfn ../../$$f build/mutants/$$f; done
	@touch $@

# What these need is installed with them where .venv's does not suit them: an older dask for the oldest distributed.
build/oldest/.installed: pyproject.toml $(VENV)/.installed-test
	$(BEHIND_OURS)
	$(RUN) tools.oldest > $(@D)/versions.txt
	$(@D)/bin/python -m pip --disable-pip-version-check install -r $(@D)/versions.txt
	@touch $@
