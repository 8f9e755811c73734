#!/usr/bin/python3
"""sizes IN OUT MIN_KIB: installed size by section, of packages that are at least so large."""

import collections
import json
import sys


def whole_number(text):
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"min_size_kib must be a whole number of KiB, not {text!r}") from None


def main(source, out, min_kib):
    least = whole_number(min_kib)
    with open(source, encoding="utf-8") as file:
        packages = json.load(file)
    counted = [package for package in packages if package["kib"] >= least]
    sections = collections.Counter()
    for package in counted:
        sections[package["section"]] += package["kib"]
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"least": least, "counted": len(counted), "sections": sections.most_common()}, file)
    print(f"{len(counted)} of {len(packages)} packages have {least} KiB or more, in {len(sections)} sections")


main(*sys.argv[1:])
