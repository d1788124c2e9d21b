"""XML of other programs, read so that no file can hurt: no document type, hence no entities, and bounded depth and size."""

from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from realtime.errors import UserInputError
from realtime.files import open_regular, reason

_LARGEST = 64 * 2**20
_DEEPEST = 50


def read_xml(path: Path) -> Element:
    """Read a file's root element.

    Args:
        path: of the file.

    Raises:
        UserInputError: it cannot be read, is no XML, or declares a document type (which can name entities and other files).
    """
    try:
        with open_regular(path, limit=_LARGEST) as file:
            content = file.read()
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    builder, depth = TreeBuilder(), 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise UserInputError(f"{path} is no annotation file: its XML is nested more than {_DEEPEST} deep.")
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def doctype(*_declared: object) -> None:
        raise UserInputError(f"{path} declares an XML document type, which is refused: it can name entities and files.")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise UserInputError(f"{path} is broken XML ({str(error)[:80]}).") from None
    except (ValueError, LookupError):
        raise UserInputError(f"{path} is broken XML (its encoding is unknown).") from None
    return builder.close()
