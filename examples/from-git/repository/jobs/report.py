#!/usr/bin/python3
"""report IN: the words, most frequent first."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    words = json.load(file)
for word, count in sorted(words.items(), key=lambda pair: (-pair[1], pair[0])):
    print(f"{count:3} {word}")
