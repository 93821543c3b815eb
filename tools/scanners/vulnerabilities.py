"""Looks the locked packages up in a database of known vulnerabilities. Fails if one is found.

Usage: ``python vulnerabilities.py REQUIREMENTS``. Where the database cannot be reached, it says so and does not fail: a
build must not depend on another company's server.
"""

import json
import subprocess
import sys
from pathlib import Path


def main(requirements: Path) -> int:
    """Runs pip-audit.

    Args:
        requirements: file of pinned packages with hashes.

    Returns:
        The exit status: 1 if a package has a known vulnerability.
    """
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--disable-pip", "--require-hashes"]
    answer = subprocess.run(  # noqa: S603
        [*command, "--format", "json", "--requirement", str(requirements)], capture_output=True, text=True, check=False
    )
    try:
        packages = json.loads(answer.stdout)["dependencies"]
    except ValueError:
        reason = answer.stderr.strip().splitlines()[-1:] or ["no answer"]
        print(f"not checked: the database of vulnerabilities did not answer ({reason[0]})")
        return 0
    checked = [package for package in packages if "vulns" in package]
    found = [(package, each) for package in checked for each in package["vulns"]]
    for package, each in found:
        fixed = ", ".join(each["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {each['id']}, fixed in {fixed}")
    unknown = len(packages) - len(checked)
    print(f"{len(checked)} packages checked, {len(found)} vulnerabilities, {unknown} packages unknown to the database")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
