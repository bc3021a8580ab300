"""Print the oldest releases that pyproject.toml allows, as constraints for pip; docs/contributing.rst has the commands."""

from pathlib import Path

import tomllib

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
for requirement in project["dependencies"] + project["optional-dependencies"]["test"]:
    name, _, version = requirement.partition(">=")
    if name not in ("cmake", "cmeel-eigen", "ninja"):  # these build; they are not imported
        print(f"{name}=={version}")
print("pyparsing<3.2")  # a later one warns of how matplotlib 3.7 calls it, and the tests take warnings for errors
