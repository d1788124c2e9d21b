"""Annotations for property tests."""

from hypothesis import strategies as st

from realtime.exchange import Annotations, Code, Exclusion, Label, Point

TEXTS = st.one_of(
    st.sampled_from(["", "cue", "smile", "=1+2", "n/a", 'a "b"; c', "'x", "(marker)", "exclude (range)", "ä<&>é", "-"]),
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn")), max_size=8),
)
TIMES = st.one_of(st.integers(0, 60), st.integers(0, 7_200_000))

FACES = st.sampled_from([0, 0, 1, 2, 12])


@st.composite
def annotations(draw: st.DrawFn) -> Annotations:
    """Overlapping, touching and repeated annotations with awkward texts."""
    names = draw(st.lists(TEXTS, max_size=4, unique_by=lambda text: text.strip().casefold()))
    codes = [Code(name, draw(TEXTS)) for name in names if name.strip()]

    def span() -> tuple[int, int]:
        start = draw(TIMES)
        return start, start + draw(st.integers(1, 5000))

    labels = [
        Label(*span(), draw(st.sampled_from([code.name for code in codes])), draw(TEXTS), draw(FACES))
        for _ in range(draw(st.integers(0, 6)) if codes else 0)
    ]
    points = [Point(draw(TIMES), draw(TEXTS), draw(TEXTS)) for _ in range(draw(st.integers(0, 4)))]
    exclusions = [Exclusion(*span(), draw(TEXTS)) for _ in range(draw(st.integers(0, 3)))]
    return Annotations(draw(TEXTS), codes, labels, points, exclusions)
