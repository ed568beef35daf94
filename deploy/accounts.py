"""Linux accounts for a class: `sudo python3 deploy/accounts.py names.txt`, with one name in each line.

Each new one is in the group `cnnlab`, has no shell, a home that the others cannot read, and a password by chance, which
is printed once: give it to the student. Accounts that are there already stay as they are.
"""

import pwd
import re
import secrets
import subprocess
import sys
from pathlib import Path

LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # without those that look like others


def make(name: str) -> str:
    """Make the account; the result is its password."""
    password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
    home = ["--create-home", "--key", "HOME_MODE=0700", "--shell", "/usr/sbin/nologin"]
    subprocess.run(["useradd", *home, "--groups", "cnnlab", name], check=True)
    subprocess.run(["chpasswd"], input=f"{name}:{password}", text=True, check=True)
    return password


def main() -> None:
    """Make an account for each name of the file."""
    if len(sys.argv) != 2:
        sys.exit("usage: sudo python3 deploy/accounts.py names.txt")
    names = Path(sys.argv[1]).read_text(encoding="utf-8").split()
    if wrong := [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_-]{0,30}", name)]:
        sys.exit(
            f"a name has small letters, digits, - and _, and begins with a letter; these do not: {' '.join(wrong)}"
        )
    subprocess.run(["groupadd", "--force", "cnnlab"], check=True)
    there = {account.pw_name for account in pwd.getpwall()}
    for name in names:
        print(f"{name}\t{'(is there already)' if name in there else make(name)}")


if __name__ == "__main__":
    main()
