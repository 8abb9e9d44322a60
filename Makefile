# The front door. Every target first makes sure that the course is set up, which takes a moment when it is.
BIN := $(or $(FLIGHTSCHOOL_VENV),.venv)/bin
SETUP := @environment/setup &&
# Byte code is what makes the second import fast.
unexport PYTHONDONTWRITEBYTECODE VIRTUAL_ENV PYTHONHOME PYTHONPATH
.PHONY: help lab doctor test build run grade attack judge bench up down lock clean
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

lab: ## set up and open JupyterLab (LAB="--port 9000 --no-browser")
	$(SETUP) exec $(BIN)/flightschool lab $(LAB)

doctor: ## find what is wrong with this machine
	@exec environment/doctor $(DOCTOR)

test: ## lint, types, unit tests, all notebooks (TEST="tests/labs -k etl" for a part)
	$(SETUP) exec tests/run $(TEST)

build: ## make notebooks/ from solutions/
	$(SETUP) exec $(BIN)/flightschool build

run: ## execute all solutions, with a table of time and memory
	$(SETUP) exec $(BIN)/flightschool run

grade: ## grade submissions on hidden data (GRADE="FOLDER --module 01")
	$(SETUP) exec $(BIN)/flightschool grade $(GRADE)

attack: ## let hostile submissions attack the grader, as root and as another user
	$(SETUP) cd tests && exec ../$(BIN)/python -m security.attacks $(ATTACK)

judge: ## measure the judges: wrong answers caught, right ones refused (JUDGE="02 --seeds 20")
	$(SETUP) exec $(BIN)/flightschool judge $(JUDGE)

bench: ## measure what the README claims (BENCH="setup --cold" for one, with its options)
	$(SETUP) exec $(BIN)/python benchmarks $(BENCH)

up: ## the course in containers, needs Docker (PROFILE=core, monitoring … docs/compose.md)
	@environment/dotenv && exec docker compose --profile $(or $(PROFILE),core) up --detach --wait

down: ## stop the containers; what you wrote stays
	@environment/dotenv && exec docker compose --profile all down

lock: ## resolve environment/requirements.in anew, for Python 3.11 and 3.12 (LOCK="--upgrade")
	$(SETUP) exec environment/lock $(LOCK)

clean: ## remove what running made; the environment and your work stay
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis spark-warehouse metastore_db derby.log
