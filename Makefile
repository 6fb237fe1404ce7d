# The two commands of the README, and the checks a developer runs between them.
.PHONY: demo test setup lint format lock bench clean

demo: setup
	.venv/bin/seedguide demo --out demo-out

test: setup lint
	.venv/bin/pytest -n 2 --dist loadfile

setup:
	@scripts/setup

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

format: setup
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: setup
	.venv/bin/python -m benchmarks

lock:
	scripts/lock

clean:
	rm -rf .venv demo-out
