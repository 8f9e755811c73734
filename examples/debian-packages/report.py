#!/usr/bin/python3
"""report IN: print the report; its output is what a reader of the run looks at."""

import sys


def main(source):
    with open(source, encoding="utf-8") as file:
        sys.stdout.write(file.read())


main(*sys.argv[1:])
