"""real_chaos.py: a part of the kill matrix that fits a test run: every failpoint at least once, over all sinks. also: dev; needs: failpoints

The whole of it is ./dev chaos.
"""
import os
import subprocess
import sys

run = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos", "run")
sys.exit(subprocess.run([sys.executable, run, "--seed", "7", "--kills", "48"]).returncode)
