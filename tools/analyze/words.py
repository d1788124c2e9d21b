"""An architecture report as text, and as a picture."""

from pathlib import Path

from tools.analyze.report import Report, compare


def text(report: Report) -> str:
    """The report to read."""
    p = report.parameters
    lines = [f"{report.subject} ({report.kind})", ""]
    if report.modules:
        classes = ", ".join(f"{count} {name}" for name, count in report.modules.items())
        lines.append(f"modules     {report.module_count} below the root: {classes}")
    unused = f", {p.unused:,} of them never used: {p.live:,} live" if p.unused else ""
    constants = f"; {p.constants:,} further constants" if p.constants else ""
    lines.append(f"parameters  {p.total:,}{unused}{constants}")
    lines.append(f"work        {report.macs / 1e9:.3f} GMAC a run")
    if report.bytes_on_disk is not None:
        lines.append(f"size        {report.bytes_on_disk / 1e6:.1f} MB")
    for name, shapes in (("inputs", report.inputs), ("outputs", report.outputs)):
        if shapes:
            lines.append(f"{name:<11} " + ", ".join(f"{key} {shape}" for key, shape in shapes.items()))
    if report.types:
        lines.append("types       " + ", ".join(f"{kind} {count:,}" for kind, count in report.types.items()))
    lines += ["", f"{len(report.operations)} operations"]
    lines += [f"  {count:6d}  {kind}" for kind, count in report.counts.items()]
    if report.functions:
        lines += ["", "called as functions, without a module of their own"]
        lines += [f"  {count:6d}  {kind}" for kind, count in report.functions.items()]
    lines += ["", "what a Neural Engine dislikes"]
    lines += [
        f"  {c.count:6d}  {c.kind}: {c.why}" + ("" if c.stays else " (leaves the engine)") for c in report.concerns()
    ] or ["          nothing in this list"]
    place = report.placement()
    lines.append(
        f"  {place.on_engine} of {place.operations} operations ({100 * place.share:.1f} %) in {place.partitions} partitions: {place.basis}"
    )
    if report.notes:
        lines += ["", *(f"- {note}" for note in report.notes)]
    return "\n".join(lines)


def comparison(before: Report, after: Report) -> str:
    """What changed between two forms of a network."""
    lines = [f"{before.subject} -> {after.subject}"]
    for name, first, second in (
        ("operations", len(before.operations), len(after.operations)),
        ("parameters", before.parameters.total, after.parameters.total),
        ("bytes", before.bytes_on_disk or 0, after.bytes_on_disk or 0),
        ("partitions (estimate)", before.placement().partitions, after.placement().partitions),
    ):
        lines.append(f"  {name:<24}{first:>14,} -> {second:,}")
    lines.append(f"  {'GMAC':<24}{before.macs / 1e9:>14.3f} -> {after.macs / 1e9:.3f}")
    lines += [f"  {kind:<24}{first:>14} -> {second}" for kind, first, second in compare(before, after)]
    return "\n".join(lines)


def picture(report: Report, path: Path) -> None:
    """Operations by type as bars (red: leaves a Neural Engine, amber: disliked), and the program as a strip in order."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure(figsize=(11, 7), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    bars, strip = figure.subplots(2, 1, height_ratios=[8, 1])
    leaves = {c.kind for c in report.concerns() if not c.stays}
    disliked = {c.kind for c in report.concerns()}

    def colour(kind: str) -> str:
        return "#c0392b" if kind in leaves else "#e0a030" if kind in disliked else "#2c7fb8"

    kinds = list(report.counts.items())[:24]
    names = [kind for kind, _ in kinds]
    bars.barh(names, [count for _, count in kinds], color=[colour(kind) for kind in names])
    bars.invert_yaxis()
    for row, (_, count) in enumerate(kinds):
        bars.text(count, row, f" {count}", va="center", fontsize=8)
    p = report.parameters
    bars.set_title(
        f"{report.subject}: {p.live:,} live parameters of {p.total:,}, {report.macs / 1e9:.2f} GMAC, "
        f"{len(report.operations)} operations"
    )
    bars.set_xlabel("operations (blue: suits a Neural Engine, amber: runs there slower, red: leaves it; estimate)")
    for index, operation in enumerate(report.operations):
        strip.add_patch(Rectangle((index, 0), 1, 1, color=colour(operation.kind), linewidth=0))
    strip.set_xlim(0, max(len(report.operations), 1))
    strip.set_ylim(0, 1)
    strip.set_yticks([])
    strip.set_xlabel("the program in its order")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
