#!/usr/bin/python3
"""summary SIZES DEPENDENCIES OUT: the first lines of both lists; how many, the parameter `top` says."""

import json
import os
import sys


def main(sizes, dependencies, out):
    top = int(os.environ["REPRISE_PARAM_top"])
    with open(sizes, encoding="utf-8") as file:
        by_size = json.load(file)
    with open(dependencies, encoding="utf-8") as file:
        needed = json.load(file)
    lines = ["Installed size by section" + (f" (packages of {by_size['least']} KiB or more)" if by_size["least"] else "")]
    lines += [f"  {kib / 1024:10,.1f} MiB  {section}" for section, kib in by_size["sections"][:top]]
    lines += ["", "Most depended upon"]
    lines += [f"  {count:10,} times {name}" for name, count in needed[:top]]
    with open(out, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    print(f"summary of {len(lines)} lines")


main(*sys.argv[1:])
