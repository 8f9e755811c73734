#!/usr/bin/python3
"""clean IN OUT: installed packages only, sizes as numbers, dependencies as plain names."""

import json
import re
import sys


def names(*fields):
    """Names in "libc6 (>= 2.34), debconf | debconf-2.0": the first of alternatives, no versions, no architectures."""
    for field in fields:
        for clause in (field or "").split(","):
            match = re.match(r"\s*([a-z0-9][a-z0-9+.-]*)", clause)
            if match:
                yield match.group(1)


def clean(package):
    section = package.get("Section") or "none"
    return {
        "name": package["Package"],
        "section": section.rpartition("/")[2],  # "non-free/admin" counts as admin
        "kib": int(package.get("Installed-Size") or 0),
        "needs": sorted(set(names(package.get("Pre-Depends"), package.get("Depends")))),
    }


def main(source, out):
    with open(source, encoding="utf-8") as file:
        raw = json.load(file)
    packages = [clean(package) for package in raw if package.get("Status", "").endswith(" installed")]
    if not packages:
        raise ValueError("no package is installed: is this the right status file?")
    with open(out, "w", encoding="utf-8") as file:
        json.dump(packages, file)
    print(f"{len(packages)} installed, {len(raw) - len(packages)} left out")


main(*sys.argv[1:])
