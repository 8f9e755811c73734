#!/usr/bin/python3
"""listing SIZES DEPENDENCIES OUT: all sections, and as many packages as the parameter `top` says."""

import json
import os
import sys


def main(sizes, dependencies, out):
    top = int(os.environ["REPRISE_PARAM_top"])
    with open(sizes, encoding="utf-8") as file:
        sections = json.load(file)["sections"]
    with open(dependencies, encoding="utf-8") as file:
        needed = json.load(file)[:top]
    lines = ["section,kib"] + [f"{section},{kib}" for section, kib in sections]
    lines += ["", "package,needed_by"] + [f"{name},{count}" for name, count in needed]
    with open(out, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    print(f"listing of {len(sections)} sections and {len(needed)} packages")


main(*sys.argv[1:])
