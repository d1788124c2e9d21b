"""Tables as spreadsheets save them: encoding, delimiter and decimal mark, and what stays refused because it is in doubt."""

import pytest

from realtime.table_text import TableFormat, table_format, text_of


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_the_byte_order_mark_tells_the_encoding(encoding: str) -> None:
    assert text_of("Zoë;1,5".encode(encoding)) == "Zoë;1,5"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le"])
def test_what_tells_no_encoding_is_not_guessed(encoding: str) -> None:
    """Windows' own code pages tell nothing of themselves, and UTF-16 without its mark may be anything."""
    with pytest.raises(UnicodeError):
        text_of("Zoë €".encode(encoding))


@pytest.mark.parametrize(
    ("text", "delimiter", "decimal_comma"),
    [
        ("time,code\n1.5,a\n", ",", False),
        ('time,code\n"1,5",a\n', ",", True),  # LibreOffice, where the system's decimal mark is the comma
        ('time,code\n"1,234",a\n1,5\n', ",", False),  # a quoted 1,234 of an English Excel is a thousand and more
        ("time;code\n1,5;a\n", ";", True),
        ("time;code\n1,234;a\n", ";", True),
        ("time;code\n1.5;1,5\n", ";", False),
        ("time;code\n1.5;a\n1,5;b\n", ";", False),
        ("time\tcode\n1,5\ta\n", "\t", True),
        ("time\tcode\n1,234\ta\n", "\t", False),
        ("time\tcode\n1,234\ta\n0,500\tb\n", "\t", True),
        ("time\tcode\n1.5\ta\n", "\t", False),
        ('time,"a;b;c"\n1.5,a\n', ",", False),
        ("sep=;\r\ntime,code\n", ";", True),
    ],
)
def test_delimiter_and_decimal_mark(text: str, delimiter: str, decimal_comma: bool) -> None:
    found = table_format(text, lambda name: name == "time")
    assert (found.delimiter, found.decimal_comma) == (delimiter, decimal_comma)


def test_only_whole_numbers_of_the_format_are_changed() -> None:
    written = TableFormat(";", decimal_comma=True)
    cells = ["1,5", " -0,25", "1,5e-3", "1.234,5", "1,2,3", "smile, big", ""]
    assert [written.number(cell) for cell in cells] == ["1.5", " -0.25", "1.5e-3", *cells[3:]]
    assert TableFormat().number("1,5") == "1,5"
