"""symbols.py LIBRARY...: fails on a public symbol of our libraries that does not begin with wr_ or stands in two of them.

Needs a build, so ctest runs it and "./dev lint" does not.
"""
import os
import subprocess
import sys


def main():
    owner = {}
    bad = 0
    for library in sys.argv[1:]:
        out = subprocess.run(["nm", "-g", "--defined-only", library], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True, check=True).stdout
        for line in out.splitlines():
            parts = line.split()
            if len(parts) != 3 or parts[2].startswith("__"):
                continue
            kind, name = parts[1:]
            if kind in "WwVv":
                continue
            if not name.startswith("wr_"):
                print("%s: public symbol %s does not begin with wr_" % (os.path.basename(library), name))
                bad = 1
            elif name in owner and owner[name] != library:
                print("%s: %s is also in %s" % (os.path.basename(library), name, os.path.basename(owner[name])))
                bad = 1
            owner[name] = library
    return bad


sys.exit(main())
