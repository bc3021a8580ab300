"""What a process may do to a call from outside: interrupt it, fork under it, hand it a pickle that was changed."""

import os
import pickle
import random
import signal
import subprocess
import sys
import time

import ksparse
import numpy as np
import pytest
from reference import random_problem

CALLS = """
import os, signal, sys
sys.path.insert(0, {folder!r})
import numpy as np
import ksparse
from reference import random_problem
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
problem = random_problem(0, n=400, p=150, rho=0.8, ridge=1e-3)
X, y = problem.X, problem.y
Y = (X[:, :40] + np.random.default_rng(0).standard_normal((400, 40)) > 0).astype(float)
calls = {{
    "fit": lambda: [ksparse.fit(X, y, 8, ridge=1e-3, search="thorough", max_rounds=20)],
    "path": lambda: list(ksparse.fit_path(X, y, range(1, 9), ridge=1e-3)),
    "many": lambda: list(ksparse.fit_many(X, Y, 4, ridge=1e-3, n_jobs=2)),
    "each": lambda: list(ksparse.fit_each([(X, y)] * 20, 4, ridge=1e-3, n_jobs=2)),
}}
def answers(name):
    return [result.objective for result in calls[name]()]
"""


def start(code):
    code = CALLS.format(folder=os.path.dirname(__file__)) + code
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a single child")
@pytest.mark.parametrize("name", ["fit", "path", "many", "each"])
def test_interrupts_at_any_moment_leave_everything_usable(name):
    """KeyboardInterrupt, whenever it comes, no other error; then the same call gives the answer that it gave before."""
    code = f"""
before = answers({name!r})
for _ in range(8):
    try:
        print("ready", flush=True)
        while True:
            answers({name!r})
    except KeyboardInterrupt:
        pass
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert answers({name!r}) == before
    signal.signal(signal.SIGINT, signal.default_int_handler)
print("done", flush=True)
"""
    moments = random.Random(0)
    with start(code) as child:
        while child.stdout.readline().strip() == "ready":
            time.sleep(moments.uniform(0.0, 0.05))
            child.send_signal(signal.SIGINT)
        assert child.wait(timeout=60) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_forked_during_a_call_works():
    """While other threads fit, a child begins its own calls: nothing that they hold is locked in it."""
    code = """
import threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12 on, for any fork beside threads
before = {name: answers(name) for name in calls}
stop = threading.Event()
def work(name):
    while not stop.is_set():
        assert answers(name) == before[name]
threads = [threading.Thread(target=work, args=(name,)) for name in ("many", "fit")]
for thread in threads:
    thread.start()
try:
    for name in [*calls, *calls]:
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            os._exit(0 if answers(name) == before[name] else 3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, name
finally:
    stop.set()
print("done", flush=True)
"""
    with start(code) as child:
        assert child.stdout.readline().strip() == "done"
        assert child.wait(timeout=60) == 0


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("support", np.array([0, 10**9])), ("coef", np.zeros(3)), ("coef", None), ("support", np.array(["a"]))],
)
def test_a_changed_pickle_is_refused(attribute, value):
    """When it is read, in words; test_stored.py has the other results, and what else may have been changed."""
    problem = random_problem(0)
    result = ksparse.fit(problem.X, problem.y, 3, ridge=1e-2)
    with pytest.raises(ValueError, match="does not refer to its data"):
        pickle.loads(pickle.dumps(result)).alternatives()
    object.__setattr__(result, attribute, value)
    changed = pickle.dumps(result)
    with pytest.raises(ValueError, match=f"({attribute}|support) of a stored FitResult"):
        pickle.loads(changed)
