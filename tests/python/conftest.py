"""Settings of the test run."""

import faulthandler
import os
import sys
from pathlib import Path

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the module `reference`

# Any seed must do; a run in CI repeats itself, so that a red build can be looked at.
hypothesis.settings.register_profile("default", deadline=None, max_examples=25, print_blob=True)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=25, derandomize=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# A test that waits for ever, e.g. for a signal that never comes, ends the run with the stacks of all threads.
SECONDS_OF_A_TEST = 900
ERRORS = pytest.StashKey[int]()


def pytest_configure(config):
    """Keep the standard error of the run, because pytest captures it during tests."""
    config.stash[ERRORS] = os.dup(2)


@pytest.fixture(autouse=True)
def _time_limit(pytestconfig):
    """Limit the time of every test."""
    faulthandler.dump_traceback_later(SECONDS_OF_A_TEST, exit=True, file=pytestconfig.stash[ERRORS])
    yield
    faulthandler.cancel_dump_traceback_later()
