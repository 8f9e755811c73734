#!/usr/bin/python3
"""combine PACKAGES BODY OUT: a head with the totals, and below it what the branch that ran has written."""

import json
import os
import sys


def main(packages_file, body_file, out):
    with open(packages_file, encoding="utf-8") as file:
        packages = json.load(file)
    with open(body_file, encoding="utf-8") as file:
        body = file.read()
    largest = max(packages, key=lambda package: package["kib"])
    head = [
        f"Packages installed: {len(packages)}",
        f"Installed size: {sum(package['kib'] for package in packages) / 1024:,.1f} MiB",
        f"Largest package: {largest['name']}, {largest['kib'] / 1024:,.1f} MiB",
        f"Source: {os.environ['REPRISE_PARAM_status_file']}",
    ]
    with open(out, "w", encoding="utf-8") as file:
        file.write("\n".join(head) + "\n\n" + body)
    print(f"{out} written")


main(*sys.argv[1:])
