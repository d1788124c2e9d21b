"""ELAN's .eaf files (EAF 3.0): labels as tiers with a controlled vocabulary, comments as tiers that refer to them.

ELAN allows no overlap within a tier and no annotation without a length: overlapping labels go to `labels 2` and so on, and a
marker lasts 1 ms on a tier of the type `marker`. Labels about a face have tiers of their own, `labels face 2`, with the participant
`face 2`. Source: the schema http://www.mpi.nl/tools/elan/EAFv3.0.xsd.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from realtime.errors import UserInputError
from realtime.exchange.annotations import Annotations, Exclusion, Point
from realtime.exchange.film import Film
from realtime.exchange.notes import Exported, Gathering, Imported, face_of, face_words, lanes
from realtime.exchange.safe_xml import read_xml

_OURS, _CODER = "facemirror-live annotations", "facemirror-live coder"
_TYPES = {"label": "labels", "marker": "markers", "exclude": "exclude"}
"""Linguistic types, each with the name of its first tier."""
_LANGUAGE = "und"
_ASSOCIATION = "Symbolic_Association"
_CONSTRAINTS = {
    "Time_Subdivision": "Time subdivision of parent annotation's time interval, no time gaps allowed within this interval",
    "Symbolic_Subdivision": "Symbolic subdivision of a parent annotation. Annotations refering to the same parent are ordered",
    _ASSOCIATION: "1-1 association with a parent annotation",
    "Included_In": "Time alignable annotations within the parent annotation's time interval, gaps are allowed",
}


def write_eaf(annotations: Annotations, *, film: Film | None = None) -> Exported:
    """Make an .eaf file. It holds everything.

    Args:
        annotations: with times from the film's start.
        film: None: there is none.
    """
    root = Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": annotations.coder,
            "DATE": datetime.now(UTC).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
        },
    )
    header = SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    if film is not None:
        media = {"MEDIA_URL": film.name, "RELATIVE_MEDIA_URL": f"./{film.name}", "MIME_TYPE": "video/mp4"}
        SubElement(header, "MEDIA_DESCRIPTOR", media)
    for name, value in ((_OURS, "1"), (_CODER, annotations.coder)):
        SubElement(header, "PROPERTY", NAME=name).text = value
    tiers = _Tiers(root, annotations.coder)
    for face in sorted({0, *(one.face for one in annotations.labels)}):
        own = [(one.start, one.end, one.code, one.comment) for one in annotations.labels if one.face == face]
        tiers.add("label", own, face)
    tiers.add("marker", [(one.at, one.at + 1, one.text, one.comment) for one in annotations.points])
    tiers.add("exclude", [(one.start, one.end, one.reason, "") for one in annotations.exclusions])
    _types(root)
    SubElement(root, "LANGUAGE", LANG_ID=_LANGUAGE, LANG_LABEL="undetermined (und)")
    for name, meaning in _CONSTRAINTS.items():
        SubElement(root, "CONSTRAINT", STEREOTYPE=name, DESCRIPTION=meaning)
    vocabulary = SubElement(root, "CONTROLLED_VOCABULARY", CV_ID="codes")
    SubElement(vocabulary, "DESCRIPTION", LANG_REF=_LANGUAGE)
    for number, code in enumerate(annotations.codes, 1):
        entry = SubElement(vocabulary, "CV_ENTRY_ML", CVE_ID=f"code{number}")
        SubElement(entry, "CVE_VALUE", LANG_REF=_LANGUAGE, DESCRIPTION=code.meaning).text = code.name
    indent(root)
    return Exported(tostring(root, encoding="utf-8", xml_declaration=True) + b"\n", [])


class _Tiers:
    """The time slots and tiers of one document."""

    def __init__(self, root: Element, coder: str) -> None:
        self._root, self._coder = root, coder
        self._slots = SubElement(root, "TIME_ORDER")
        self._annotations = 0

    def add(self, kind: str, lines: Sequence[tuple[int, int, str, str]], face: int = 0) -> None:
        """Add the tiers of one linguistic type, about one face; lines are start, end, value, comment."""
        first = f"{_TYPES[kind]} {face_words(face)}" if face else _TYPES[kind]
        who = {"PARTICIPANT": face_words(face)} if face else {}
        places = lanes((start, end) for start, end, _, _ in lines)
        for lane in range(max(places, default=0) + 1):
            name = f"{first} {'overlap ' if face else ''}{lane + 1}" if lane else first
            tier = self._tier(name, kind, **who)
            commented = []
            for line, place in zip(lines, places, strict=True):
                if place == lane:
                    own = self._aligned(tier, line)
                    if line[3]:
                        commented.append((own, line[3]))
            if commented:
                child = self._tier(f"{name} comment", "comment", PARENT_REF=name, **who)
                for own, comment in commented:
                    self._value(child, "REF_ANNOTATION", comment, ANNOTATION_REF=own)

    def _tier(self, name: str, kind: str, **more: str) -> Element:
        who = {"ANNOTATOR": self._coder} if self._coder else {}
        return SubElement(self._root, "TIER", {"TIER_ID": name, "LINGUISTIC_TYPE_REF": kind, **who, **more})

    def _aligned(self, tier: Element, line: tuple[int, int, str, str]) -> str:
        slots = []
        for at in line[:2]:
            slots.append(f"ts{len(self._slots) + 1}")
            SubElement(self._slots, "TIME_SLOT", TIME_SLOT_ID=slots[-1], TIME_VALUE=str(at))
        return self._value(tier, "ALIGNABLE_ANNOTATION", line[2], TIME_SLOT_REF1=slots[0], TIME_SLOT_REF2=slots[1])

    def _value(self, tier: Element, kind: str, value: str, **places: str) -> str:
        self._annotations += 1
        own = f"a{self._annotations}"
        holder = SubElement(SubElement(tier, "ANNOTATION"), kind, {"ANNOTATION_ID": own, **places})
        SubElement(holder, "ANNOTATION_VALUE").text = value
        return own


def _types(root: Element) -> None:
    for kind in (*_TYPES, "comment"):
        alone = kind == "comment"
        more = {"CONSTRAINTS": _ASSOCIATION} if alone else {}
        more |= {"CONTROLLED_VOCABULARY_REF": "codes"} if kind == "label" else {}
        own = {
            "LINGUISTIC_TYPE_ID": kind,
            "TIME_ALIGNABLE": "false" if alone else "true",
            "GRAPHIC_REFERENCES": "false",
        }
        SubElement(root, "LINGUISTIC_TYPE", own | more)


def read_eaf(path: Path) -> Imported:
    """Read an .eaf file of this program or of anybody.

    In a tier with a controlled vocabulary the value is the code. In every other tier the tier's name is the code and the
    value the comment. Annotations that refer to others have their times.

    Args:
        path: of the file.

    Raises:
        UserInputError: it cannot be read, is broken, or is no annotation document in milliseconds.
    """
    root = read_xml(path)
    if root.tag != "ANNOTATION_DOCUMENT":
        raise UserInputError(f"{path} is no ELAN file: it begins with {root.tag[:40]!r}.")
    units = root.find("HEADER[@TIME_UNITS]")
    if units is not None and units.attrib["TIME_UNITS"] != "milliseconds":
        raise UserInputError(f"{path} counts {units.attrib['TIME_UNITS'][:40]}; save it in ELAN with milliseconds.")
    try:
        return _Reader(root).read()
    except (KeyError, ValueError) as error:
        if isinstance(error, UserInputError):
            raise
        raise UserInputError(f"{path} is damaged: it lacks {str(error)[:80]}.") from None


class _Reader:
    def __init__(self, root: Element) -> None:
        self._root = root
        self._gathering = Gathering()
        self._slots = {
            slot.attrib["TIME_SLOT_ID"]: int(slot.attrib["TIME_VALUE"]) if "TIME_VALUE" in slot.attrib else None
            for slot in root.iterfind("TIME_ORDER/TIME_SLOT")
        }
        self._types: dict[str, Mapping[str, str]] = {
            kind.attrib["LINGUISTIC_TYPE_ID"]: kind.attrib for kind in root.iterfind("LINGUISTIC_TYPE")
        }
        self._elements = {
            holder.attrib["ANNOTATION_ID"]: holder for holder in root.iterfind("TIER/ANNOTATION/*[@ANNOTATION_ID]")
        }
        properties = {one.attrib.get("NAME", ""): one.text or "" for one in root.iterfind("HEADER/PROPERTY")}
        self._ours = properties.get(_OURS) == "1"
        self._coder = properties.get(_CODER, root.attrib.get("AUTHOR", ""))

    def read(self) -> Imported:
        self._read_codes()
        comments = dict(self._comments()) if self._ours else {}
        shared = set() if self._ours else self._shared_values()
        for tier in self._root.iterfind("TIER"):
            kind = tier.attrib["LINGUISTIC_TYPE_REF"]
            if self._ours and kind == "comment":
                continue
            for own, start, end, value in self._annotations(tier):
                self._take(tier, kind, (start, end, value), comments.get(own, ""), shared)
        return self._gathering.finish(self._gathering.name(self._coder))

    def _take(self, tier: Element, kind: str, line: tuple[int, int, str], comment: str, shared: set[str]) -> None:
        start, end, value = line
        gathering, name = self._gathering, tier.attrib["TIER_ID"]
        face = face_of(tier.attrib.get("PARTICIPANT", ""))
        if self._ours and kind == "marker":
            gathering.points.append(Point(start, gathering.text(value), gathering.text(comment)))
        elif self._ours and kind == "exclude":
            gathering.exclusions.append(Exclusion(start, end, gathering.text(value)))
        elif self._has_vocabulary(kind) and value.strip():
            gathering.label(start, end, f"{name}: {value}" if value in shared else value, comment, face)
        else:
            gathering.label(start, end, name, value, face)

    def _has_vocabulary(self, kind: str) -> bool:
        return "CONTROLLED_VOCABULARY_REF" in self._types.get(kind, {})

    def _shared_values(self) -> set[str]:
        """Values of vocabularies that stand in more than one tier, where the tier's name must be kept."""
        tiers: dict[str, set[str]] = {}
        for tier in self._root.iterfind("TIER"):
            if self._has_vocabulary(tier.attrib["LINGUISTIC_TYPE_REF"]):
                for value in tier.iterfind("ANNOTATION/*/ANNOTATION_VALUE"):
                    tiers.setdefault(value.text or "", set()).add(tier.attrib["TIER_ID"])
        return {value for value, names in tiers.items() if len(names) > 1}

    def _read_codes(self) -> None:
        for entry in self._root.iterfind("CONTROLLED_VOCABULARY//*"):
            if entry.tag in ("CVE_VALUE", "CV_ENTRY") and (entry.text or "").strip():
                meaning = self._gathering.text(entry.attrib.get("DESCRIPTION", ""))
                self._gathering.codes.setdefault(self._gathering.name(entry.text or ""), meaning)

    def _comments(self) -> Iterator[tuple[str, str]]:
        for tier in self._root.iterfind("TIER[@LINGUISTIC_TYPE_REF='comment']"):
            for holder in tier.iterfind("ANNOTATION/REF_ANNOTATION"):
                yield holder.attrib["ANNOTATION_REF"], _value_of(holder)

    def _annotations(self, tier: Element) -> Iterator[tuple[str, int, int, str]]:
        for holder in tier.iterfind("ANNOTATION/*[@ANNOTATION_ID]"):
            aligned, steps = holder, 0
            while "ANNOTATION_REF" in aligned.attrib and steps < len(self._elements):
                aligned, steps = self._elements[aligned.attrib["ANNOTATION_REF"]], steps + 1
            if steps:
                self._gathering.note("{n} annotations refer to others and got their times.")
            ends = [self._slots.get(aligned.attrib.get(f"TIME_SLOT_REF{number}", "")) for number in (1, 2)]
            if ends[0] is None or ends[1] is None:
                self._gathering.note("{n} annotations have no times and were left out.")
                continue
            yield holder.attrib["ANNOTATION_ID"], ends[0], ends[1], _value_of(holder)


def _value_of(holder: Element) -> str:
    return holder.findtext("ANNOTATION_VALUE") or ""
