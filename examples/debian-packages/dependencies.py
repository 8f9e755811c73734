#!/usr/bin/python3
"""dependencies IN OUT: how many installed packages need each package."""

import collections
import json
import sys


def main(source, out):
    with open(source, encoding="utf-8") as file:
        packages = json.load(file)
    needed = collections.Counter(name for package in packages for name in package["needs"])
    with open(out, "w", encoding="utf-8") as file:
        json.dump(needed.most_common(), file)
    print(f"{sum(needed.values())} dependencies on {len(needed)} packages")


main(*sys.argv[1:])
