#!/usr/bin/python3
"""extract STATUS_FILE OUT: the fields that matter, of every package that dpkg knows of."""

import json
import sys

FIELDS = ("Package", "Status", "Section", "Installed-Size", "Depends", "Pre-Depends")


def paragraphs(lines):
    """One dict per package: "Field: value" lines up to a blank one; what is indented belongs to the field above."""
    fields = {}
    for line in lines:
        line = line.rstrip("\n")
        if not line:
            if fields:
                yield fields
            fields = {}
        elif not line[0].isspace():
            name, _, value = line.partition(":")
            if name in FIELDS:
                fields[name] = value.strip()
    if fields:
        yield fields


def main(status_file, out):
    with open(status_file, encoding="utf-8", errors="replace") as lines:
        packages = list(paragraphs(lines))
    with open(out, "w", encoding="utf-8") as file:
        json.dump(packages, file)
    print(f"{len(packages)} packages in {status_file}")


main(*sys.argv[1:])
