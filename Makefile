.PHONY: demo test lint format

PYTHON ?= python3

.venv/bin/splitaudit: pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/pip install -e ".[cpu,test]"
	touch $@

demo: .venv/bin/splitaudit
	.venv/bin/splitaudit demo

test: .venv/bin/splitaudit
	.venv/bin/python -m pytest -n 2

lint: .venv/bin/splitaudit
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

format: .venv/bin/splitaudit
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
