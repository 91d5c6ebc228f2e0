"""shell_man.py: the manual page names each command and the options of the commands that run jobs, as --help has them."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEIR = os.environ.get("WEIR", os.path.join(ROOT, "build", "release", "weir"))


def help_of(*command):
    return subprocess.run([WEIR, *command, "--help"], capture_output=True, text=True, check=True).stdout


def main():
    with open(os.path.join(ROOT, "docs", "weir.1"), encoding="utf-8") as f:
        page = f.read().replace("\\-", "-")
    commands = re.findall(r"^  weir ([a-z]+)", help_of(), re.M)
    options = set(re.findall(r"--[a-z-]+", help_of() + help_of("run"))) - {"--no-rc"}
    missing = [c for c in commands if not re.search(r"\b%s\b" % c, page)] + sorted(o for o in options if o not in page)
    for word in missing:
        print("docs/weir.1: nothing about \"%s\"" % word)
    if len(commands) < 10 or len(options) < 8:
        print("--help: only %d commands and %d options" % (len(commands), len(options)))
        return 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
