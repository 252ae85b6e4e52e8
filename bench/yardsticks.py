"""The yardsticks of docs/performance.md, computed from samples: what was reached, beside what, and whether it is enough.

A sample is what one contender gave in one round; `samples` maps a contender's name to one sample for each round. A ratio is
computed within a round, for the machine's speed wanders between rounds; what is shown is the median, and in brackets the extremes.
"""

import statistics

OUTSTANDING = (64, 256, 1024)
PEAK = tuple(f"pay@{n}" for n in OUTSTANDING)
TWO_PHASE = ("2pc@8", "2pc@32", "2pc@64")
FUNCTION = ("function@8", "function@32")


MARKERS = ("<!-- yardsticks: written by ./run bench -->", "<!-- end of yardsticks -->")


class Spread:
    """The median and the extremes of a figure over the rounds."""

    def __init__(self, values):
        self.values = list(values)
        self.median = statistics.median(self.values)
        self.low, self.high = min(self.values), max(self.values)

    def text(self, form):
        if len(self.values) == 1:
            return form(self.median)
        return f"{form(self.median)} ({form(self.low)}–{form(self.high)})"


def rate(value):
    return f"{value:,.0f}/s"


def milliseconds(value):
    return f"{value / 1000:.2f} ms"


def times(value):
    return f"{value:.2f} ×"


def _figures(samples, names, field):
    """For each round the figure of the best of these contenders; None when one of them was not measured."""
    if not names or any(not samples.get(name) for name in names):
        return None
    rounds = min(len(samples[name]) for name in names)
    return [max(field(samples[name][i]) for name in names) for i in range(rounds)]


def _rate(sample):
    return sample["rate"]


def _p50(sample):
    return sample["latency_us"]["p50"]


def _p99(sample):
    return sample["latency_us"]["p99"]


def _first(sample):
    return sample["first_us"]


def _far(sample):
    return sample["far_us"]


def _largest(sample):
    return max(process["peak_resident_bytes"] for process in sample["processes"] if process["name"] != "load")


def _met(value, target, sign):
    return value >= target if sign == "≥" else value <= target


# What is measured, by which contenders; the yardstick, by which; how to read them; the target and its direction.
ROWS = [
    *((f"payments/s, {n:,} on their way", (f"pay@{n}",), f"empty calls, {n:,}", (f"empty@{n}",), _rate, _rate, rate, 0.5, "≥")
      for n in OUTSTANDING),
    ("payments/s, the best of the three", PEAK, "PostgreSQL 2PC, best of 8, 32, 64", TWO_PHASE, _rate, _rate, rate, 10, "≥"),
    ("payments/s, the best of the three", PEAK, "PostgreSQL function, best of 8, 32", FUNCTION, _rate, _rate, rate, 1.2, "≥"),
    ("payments/s, 256 in a call", ("batch",), "one call each, the best", PEAK, _rate, _rate, rate, 4, "≥"),
    ("p50, one at a time", ("pay@1",), "p50 of an empty call", ("empty@1",), _p50, _p50, milliseconds, 8, "≤"),
    ("p99 at half the peak rate", ("half",), "p50 there", ("half",), _p99, _p50, milliseconds, 5, "≤"),
    ("payments/s, long history", ("full@64",), "payments/s, none", ("fresh@64",), _rate, _rate, rate, 0.9, "≥"),
    ("a far page of a history", ("pages",), "its first page", ("pages",), _far, _first, milliseconds, 1.2, "≤"),
]

# What has a target of its own: what is measured, by which contender; the figure, how to read it, target and direction. What
# the same is without a long history is shown beside it.
ABSOLUTE = [
    ("memory of the largest server, long history", "full@64", lambda s: _largest(s) / 2**20, "{:,.0f} MiB", 256, "≤"),
    ("kill -9 to serving, long history", "restart, full", lambda s: s["seconds"], "{:.2f} s", 2, "≤"),
    ("simulated seconds per second of one processor, faults on", "simulation", lambda s: s["ratio_cpu"], "{:,.0f}", 1000, "≥"),
]


def compute(samples):
    """One row for each yardstick of which both sides were measured."""
    rows = []
    for name, ours, yardstick, theirs, our_field, their_field, form, target, sign in ROWS:
        measured, compared = _figures(samples, ours, our_field), _figures(samples, theirs, their_field)
        if not measured or not compared:
            continue
        ratio = Spread(a / b for a, b in zip(measured, compared))
        rows.append({"measure": name, "value": Spread(measured).text(form), "yardstick": yardstick,
                     "yardstick_value": Spread(compared).text(form), "ratio": ratio.median, "ratio_low": ratio.low,
                     "ratio_high": ratio.high, "ratio_text": ratio.text(times), "target": f"{sign} {target} ×", "met": _met(ratio.median, target, sign)})
    for name, contender, figure, form, target, sign in ABSOLUTE:
        if samples.get(contender):
            value = Spread(figure(sample) for sample in samples[contender])
            without = samples.get(contender.replace("full", "fresh")) if "full" in contender else None
            beside = Spread(figure(sample) for sample in without).text(form.format) if without else ""
            rows.append({"measure": name, "value": value.text(form.format),
                         "yardstick": "the same, none" if without else "", "yardstick_value": beside,
                         "ratio": value.median, "ratio_low": value.low, "ratio_high": value.high, "ratio_text": "",
                         "target": f"{sign} {form.format(target)}", "met": _met(value.median, target, sign)})
    return rows


def costs(samples):
    """CPU and memory of each process, from the runs with 64 on their way and from the batches."""
    rows = []
    for name, title in (("pay@64", "one a call, 64 on their way"), ("full@64", "the same, long history"),
                        ("batch", "256 a call")):
        for i, first in enumerate(samples.get(name, [{}])[0].get("processes", [])):
            same = [sample["processes"][i] for sample in samples[name]]
            rows.append({"run": title, "process": first["name"],
                         "cpu": Spread(p["cpu_us_per_payment"] for p in same).text(lambda us: f"{us:.0f} µs"),
                         "resident": f"{max(p['peak_resident_bytes'] for p in same) / 2**20:.0f} MiB"})
    return rows


def markdown_table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def markdown(rows):
    return markdown_table(("measure", "Strife", "beside", "there", "ratio", "target", "met"),
                          [(r["measure"], r["value"], r["yardstick"], r["yardstick_value"], r["ratio_text"], r["target"],
                            "yes" if r["met"] else "**no**") for r in rows])


def costs_markdown(rows):
    return markdown_table(("run", "process", "CPU a payment", "resident, at most"),
                          [(r["run"], r["process"], r["cpu"], r["resident"]) for r in rows])


def between_markers(text, table):
    """`text` with the table between its markers; None when it has none."""
    begin, end = (text.find(marker) for marker in MARKERS)
    if begin < 0 or end < begin:
        return None
    return f"{text[:begin + len(MARKERS[0])]}\n\n{table}\n\n{text[end:]}"


def plain(rows):
    """The same for a terminal: columns aligned."""
    header = ("measure", "Strife", "beside", "there", "ratio", "target", "met")
    cells = [header] + [(r["measure"], r["value"], r["yardstick"], r["yardstick_value"], r["ratio_text"], r["target"],
                         "yes" if r["met"] else "NO") for r in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells)
