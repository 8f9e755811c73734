#!/usr/bin/python3
"""count TEXT OUT: how often each word stands in the text, as JSON."""

import json
import os
import sys

sys.path.insert(0, os.environ["REPRISE_SOURCE"])  # the root of the repository

from counting import words  # noqa: E402

text, out = sys.argv[1:]
with open(out, "w", encoding="utf-8") as file:
    json.dump(words(text), file)
print(f"{len(words(text))} words, counted by commit {os.environ['REPRISE_GIT_COMMIT'][:7]}")
