"""real_fuzz.py: random queries of the whole dialect against PostgreSQL, SQLite and the definitions (tests/diff/fuzz.py): always the same ones.
also: dev"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fixtures"))
import postgres
import proc

slow = os.environ.get("WEIR_BUILD", "").rstrip("/").endswith("dev")  # with sanitizers
try:
    with postgres.shared() as pg:
        env = dict(os.environ, PG_URL=pg.url)
        rc = subprocess.run([sys.executable, os.path.join(HERE, "..", "diff", "fuzz.py"), "--seed", "1", "--queries", "200" if slow else "1500"], env=env).returncode
except proc.FixtureError as e:
    print(e)
    sys.exit(77)
sys.exit(rc)
