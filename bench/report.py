# SPDX-License-Identifier: Apache-2.0
"""Medians, tables in Markdown, and plots as SVG written by hand."""
import html, statistics


def median(results, field):
    return statistics.median(r[field] for r in results) if results else 0


def ratio(case, results):
    """Of what the case's goal is about."""
    ours, peers = results["tanistd"], results.get(case.peer, [])
    if not peers:
        return None
    field = "p50_us" if case.latency_goal else "per_second"
    return median(ours, field) / max(1e-9, median(peers, field))


def verdict(case, results):
    """The goal, and whether it is met."""
    value = ratio(case, results)
    if value is None or not (case.goal or case.latency_goal):
        return ""
    goal, met = (f"latency <= {case.latency_goal:g}", value <= case.latency_goal) if case.latency_goal else (f">= {case.goal:g}", value >= case.goal)
    return f"{goal}: {'met' if met else 'missed'}"


def latencies(results):
    return " / ".join(f"{median(results, f):,.0f}" for f in ("p50_us", "p99_us", "p999_us")) if results else ""


def table(rows):
    lines = ["| case | tanistd, op/s | peer | peer, op/s | ratio | goal | tanistd, p50 / p99 / p99.9 us | peer, p50 / p99 / p99.9 us | CPU us per operation, tanistd (of which idle polling) / peer |",
             "|---|---|---|---|---|---|---|---|---|"]
    for case, results in rows:
        ours, peers = results["tanistd"], results.get(case.peer, [])
        value = ratio(case, results)
        shown = "" if value is None else f"{value:.2f}" + (" (latency)" if case.latency_goal else "")
        cpu = f"{median(ours, 'server_cpu_us'):.2f} ({median(ours, 'idle_poll_us'):.2f}) / " + (f"{median(peers, 'server_cpu_us'):.2f}" if peers else "-")
        lines.append(f"| {case.name} | {median(ours, 'per_second'):,.0f} | {case.peer} | "
                     + (f"{median(peers, 'per_second'):,.0f}" if peers else "-")
                     + f" | {shown} | {verdict(case, results)} | {latencies(ours)} | {latencies(peers)} | {cpu} |")
    return "\n".join(lines)


def story_table(stories):
    """Of what is more than a throughput: (what, value, goal, met or None)."""
    lines = ["| what | measured | goal |", "|---|---|---|"]
    for what, value, goal, met in stories:
        lines.append(f"| {what} | {value} | {goal}{'' if met is None else ': met' if met else ': missed'} |")
    return "\n".join(lines)


def svg(width, height, parts):
    style = "<style>text{font:12px sans-serif;fill:#222}</style>"
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">{style}'
            f'<rect width="{width}" height="{height}" fill="#fff"/>{"".join(parts)}</svg>\n')


def text(x, y, words, anchor="start"):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def ratio_plot(rows):
    """A bar for each case: our ratio to the peer, with a line at 1 and a mark at the goal."""
    shown = [(case, ratio(case, results)) for case, results in rows]
    shown = [(case, value) for case, value in shown if value is not None and not case.latency_goal]
    left, bar, width = 270, 22, 760
    most = max([value for _, value in shown] + [case.goal for case, _ in shown] + [1]) * 1.05
    x = lambda value: left + value / most * (width - left - 60)
    parts = [text(10, 20, "throughput of tanistd to its peer; line: equal, mark: goal")]
    for i, (case, value) in enumerate(shown):
        y = 36 + i * bar
        colour = "#c66" if case.goal and value < case.goal else "#6a9"
        parts.append(text(left - 8, y + 13, f"{case.name} ({case.peer})", "end"))
        parts.append(f'<rect x="{left}" y="{y}" width="{x(value) - left:.1f}" height="{bar - 6}" fill="{colour}"/>')
        parts.append(text(x(value) + 4, y + 13, f"{value:.2f}"))
        if case.goal:
            parts.append(f'<rect x="{x(case.goal):.1f}" y="{y - 2}" width="2" height="{bar - 2}" fill="#222"/>')
    parts.append(f'<line x1="{x(1):.1f}" x2="{x(1):.1f}" y1="30" y2="{36 + len(shown) * bar}" stroke="#888"/>')
    return svg(width, 50 + len(shown) * bar, parts)


def series_plot(title, step_seconds, lines, marks=()):
    """`lines`: (label, values, colour), each scaled to its own maximum; `marks`: (seconds, words)."""
    width, height, left, top = 760, 260, 20, 40
    count = max([len(values) for _, values, _ in lines] + [2])
    x = lambda i: left + i / (count - 1) * (width - 2 * left)
    parts = [text(10, 20, title)]
    for number, (label, values, colour) in enumerate(lines):
        most = max([*values, 1e-9])
        points = " ".join(f"{x(i):.1f},{height - 20 - value / most * (height - top - 40):.1f}" for i, value in enumerate(values))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(f'<text x="{left + number * 330}" y="{top}" style="fill:{colour}">{html.escape(label)}, at most {most:,.0f}</text>')
    for seconds, words in marks:
        at = x(seconds / step_seconds)
        parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top + 8}" y2="{height - 20}" stroke="#888" stroke-dasharray="3"/>')
        parts.append(text(at + 3, height - 6, words))
    return svg(width, height, parts)
