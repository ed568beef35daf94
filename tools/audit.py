"""Audit the packages of the lock: `make audit`.

Without a network it compares what is installed with the lock, and counts the licenses. Then pip-audit asks the package
index for known vulnerabilities, of every package for every platform. The exit code is 0 only if the index knew each
package and had nothing against it: pip-audit alone calls it a success if nothing could be looked up.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from tools.lock import FOLDER, SUPPLY, pins

FIELDS = ("License-Expression", "License", "Classifier")
FAMILIES = {  # the first that is found counts
    "MPL": "MPL|Mozilla",
    "Apache": "Apache",
    "BSD": r"0?BSD",
    "MIT": "MIT",
    "PSF": "PSF|Python Software Foundation",
    "ISC": "ISC",
}


def differences(versions: Mapping[str, str]) -> list[str]:
    """What is installed in another version than the lock's. A build of PyTorch (2.13.0+cpu) counts as its version."""
    found = []
    for name, version in versions.items():
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # another platform's, or an extra's
        if installed.partition("+")[0] != version:
            found.append(f"{name} is installed as {installed}, and locked as {version}")
    return found


def license_of(package: metadata.PackageMetadata) -> str:
    """The license that a package names in its metadata: "BSD", "MIT" ...; "other" if it is in no family of ours."""
    texts = [text for field in FIELDS for text in package.get_all(field) or []]
    text = " ".join(text for text in texts if " :: " not in text or text.startswith("License"))
    return next((name for name, pattern in FAMILIES.items() if re.search(rf"\b({pattern})\b", text)), "other")


def answer(report: Mapping[str, Any]) -> tuple[list[str], int]:
    """What pip-audit's report says, in lines, and the exit code."""
    packages = report["dependencies"]
    skipped = [package for package in packages if "vulns" not in package]
    lines = []
    for package in packages:
        for flaw in package.get("vulns", []):
            mended = ", ".join(flaw["fix_versions"]) or "no version yet"
            lines.append(f"{package['name']} {package['version']}: {flaw['id']}, mended in {mended}")
    if skipped:
        reason = f"{skipped[0]['name']}: {skipped[0]['skip_reason']}"
        count = f"{len(skipped)} of {len(packages)} packages"
        lines.append(f"{count} could not be looked up, so this is no all-clear ({reason})")
    return lines or [f"none is known of these {len(packages)} packages"], int(bool(lines))


def ask(versions: Mapping[str, str]) -> tuple[list[str], int]:
    """Ask by pip-audit: the lines to show, and the exit code."""
    wanted = FOLDER.parent / "build" / "supply" / "audited.txt"  # without markers: other platforms' packages count, too
    wanted.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()), encoding="utf-8")
    options = ["--no-deps", "--disable-pip", "--progress-spinner=off", "--format=json"]
    done = subprocess.run([SUPPLY / "pip-audit", *options, "-r", wanted], capture_output=True, text=True)
    try:
        return answer(json.loads(done.stdout))
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        return [f"pip-audit could not ask, so nothing is known of any package ({last})"], 1


def main() -> int:
    """Print the audit; the result is the exit code."""
    versions = {name: version for file in sorted(FOLDER.glob("*.txt")) for name, version in pins(file).items()}
    other = differences(versions)
    print("\n".join(other) or "What is installed here is what is locked.")
    names = defaultdict(list)
    for name in versions:
        try:
            names[license_of(metadata.metadata(name))].append(name)
        except metadata.PackageNotFoundError:
            names["not installed here"].append(name)
    print("Licenses: " + ", ".join(f"{len(found)} {name}" for name, found in sorted(names.items())))
    print(f"Of another license, or of none in their metadata: {', '.join(names['other']) or 'none'}")
    print(f"Known vulnerabilities of {len(versions)} packages:", flush=True)
    lines, code = ask(versions)
    print("\n".join(f"- {line}" for line in lines))
    return int(bool(other) or code)


if __name__ == "__main__":
    sys.exit(main())
