"""real_chaos.py: a part of the kill matrix that fits a test run: a job of several sinks and one more, each killed at every failpoint, with one to
three tasks a start. The seed is the day's, so that each day tries something else; WEIR_CHAOS_SEED=N does one again. also: dev; needs: failpoints

The whole of it is ./dev chaos.
"""
import datetime
import os
import subprocess
import sys

run = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos", "run")
seed = int(os.environ.get("WEIR_CHAOS_SEED") or datetime.date.today().toordinal())
other = ("kafka", "postgres", "file")[seed % 3]
print("seed %d" % seed, flush=True)
sys.exit(subprocess.run([sys.executable, run, "--seed", str(seed), "--kills", "28", "--each", "17", "--faults", "0", "--tasks", "3", "--sinks", "mixed," + other]).returncode)
