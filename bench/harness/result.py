"""Figures: what was measured, what it is compared with, and what the comparison has to come to."""

import json
import statistics
from dataclasses import dataclass, field


@dataclass
class Bound:
    """`most` or `least`: the side on which a ratio is good."""

    value: float
    most: bool

    def holds(self, ratio):
        return ratio <= self.value if self.most else ratio >= self.value

    def __str__(self):
        return f"{'≤' if self.most else '≥'} {self.value:g}"


def at_most(value):
    return Bound(value, True)


def at_least(value):
    return Bound(value, False)


@dataclass
class Row:
    goal: str
    what: str
    unit: str
    product: list
    limit: list  # empty: the product's own figure is compared with the bounds
    must: Bound
    aim: Bound = None
    inverse: bool = False  # ratio = limit / product, where both are times and a rate is meant
    notes: list = field(default_factory=list)
    idle: float = 1.0  # share of the processors' time that was free just before

    @property
    def product_median(self):
        return statistics.median(self.product)

    @property
    def limit_median(self):
        return statistics.median(self.limit) if self.limit else None

    @property
    def ratio(self):
        if not self.limit:
            return self.product_median
        if self.inverse:
            return self.limit_median / self.product_median
        return self.product_median / self.limit_median

    @property
    def verdict(self):
        if not self.must.holds(self.ratio):
            return "MISSED"
        return "aim" if self.aim and self.aim.holds(self.ratio) else "must"

    def cells(self):
        limit = f"{number(self.limit_median)} {self.unit}" if self.limit else "–"
        ratio = f"{self.ratio:.3g}" if self.limit else "–"
        return [self.goal, self.what, f"{number(self.product_median)} {self.unit}", limit, ratio,
                str(self.must), str(self.aim or "–"), self.verdict]

    def as_json(self):
        return json.dumps({
            "goal": self.goal, "what": self.what, "unit": self.unit, "product": self.product, "limit": self.limit,
            "ratio": round(self.ratio, 4), "must": str(self.must), "aim": str(self.aim) if self.aim else None,
            "verdict": self.verdict, "idle": round(self.idle, 2), "notes": self.notes}, ensure_ascii=False)


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


HEADINGS = ["goal", "what", "product", "limit", "ratio", "must", "aim", "ok?"]


def table(rows):
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
