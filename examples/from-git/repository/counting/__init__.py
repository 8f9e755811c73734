"""What both jobs of this repository share."""

import collections


def words(text):
    return dict(collections.Counter(text.lower().split()))
