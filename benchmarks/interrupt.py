"""How long a running fit takes to answer Ctrl-C.

python benchmarks/interrupt.py
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np

CODE = """
import numpy as np, signal, ksparse
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
rng = np.random.default_rng(0)
X = np.asfortranarray(rng.standard_normal({shape}))
y = (rng.random(len(X)) < 0.5).astype(float)
print("ready", flush=True)
try:
    while True:
        ksparse.fit(X, y, {k}, ridge=1e-3)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def main() -> None:
    for shape, k in [((3000, 3000), 100), ((400000, 100), 20), ((200, 20000), 50)]:
        waits = []
        for delay in (0.3, 0.7, 1.1):
            with subprocess.Popen(
                [sys.executable, "-c", CODE.format(shape=shape, k=k)], stdout=subprocess.PIPE, text=True
            ) as child:
                assert child.stdout is not None
                child.stdout.readline()
                time.sleep(delay)
                child.send_signal(signal.SIGINT)
                sent = time.perf_counter()
                answer = child.stdout.readline()
                waits.append(time.perf_counter() - sent)
                if answer.strip() != "interrupted":
                    raise SystemExit(f"no answer: {answer!r}")
        print(f"X {shape}, k {k}: answered within {max(waits):.3f} s (median {np.median(waits):.3f} s)")


if __name__ == "__main__":
    main()
