"""Who may talk to the server: the pure checks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.dashboard.security import Bucket, Guard, is_loopback, make_token, security_headers
from realtime.errors import UserInputError

TOKEN = "t" * 43
GUARD = Guard.make(TOKEN, 8765)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST:8765", "[::1]:8765"])
def test_the_names_of_this_machine_are_right(host: str) -> None:
    assert GUARD.right_host(host)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example:8765",
        "127.0.0.1.evil.example:8765",
        "localhost.evil.example:8765",
        "127.0.0.1:8766",
        "127.0.0.1",
        "127.0.0.1:8765@evil.example",
        "evil.example:8765/127.0.0.1:8765",
        "192.168.1.7:8765",
        "[::1]:8765:8765",
    ],
)
def test_a_name_that_rebinding_would_use_is_wrong(host: str | None) -> None:
    assert not GUARD.right_host(host)


def test_a_name_the_user_listens_on_is_right() -> None:
    assert Guard.make(TOKEN, 8765, ["192.168.1.7"]).right_host("192.168.1.7:8765")


@given(st.text())
def test_no_other_words_are_the_token(text: str) -> None:
    assert GUARD.right_token(text) == (text == TOKEN)
    assert not GUARD.right_token(None)


@pytest.mark.parametrize(
    ("origin", "token_shown", "right"),
    [
        ("http://127.0.0.1:8765", False, True),
        ("http://127.0.0.1:9999", True, False),  # another program's page on this machine
        ("https://127.0.0.1:8765", True, False),
        ("http://evil.example", True, False),
        ("null", True, False),
        ("", True, False),
        (None, True, True),  # a program that knows the token
        (None, False, False),  # a cookie alone does not say who asks
    ],
)
def test_origins(origin: str | None, token_shown: bool, right: bool) -> None:
    assert GUARD.right_origin(origin, "127.0.0.1:8765", token_shown=token_shown) is right


def test_an_origin_that_equals_a_foreign_host_is_wrong() -> None:
    assert not GUARD.right_origin("http://evil.example:8765", "evil.example:8765", token_shown=True)


def test_tokens_are_long_and_never_the_same() -> None:
    made = {make_token(None) for _ in range(20)}
    assert len(made) == 20
    assert all(len(token) >= 43 for token in made)


@pytest.mark.parametrize("given_token", ["short", "a" * 21, "a" * 129, "with space" + "a" * 30, "ä" * 30, ""])
def test_a_token_that_could_be_guessed_is_refused(given_token: str) -> None:
    with pytest.raises(UserInputError, match="FACEMIRROR_TOKEN"):
        make_token(given_token)


def test_a_good_token_is_taken() -> None:
    assert make_token("A-z_0" * 5) == "A-z_0" * 5


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.5.5.5", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.7", False),
        ("example.org", False),
    ],
)
def test_what_only_this_machine_can_reach(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback


def test_the_policy_allows_nothing_from_elsewhere_and_nothing_inline() -> None:
    policy = security_headers("127.0.0.1:8765")["Content-Security-Policy"]
    rules = {words[0]: set(words[1:]) for rule in policy.split(";") if (words := rule.split())}
    assert rules["default-src"] == {"'none'"}
    assert rules["script-src"] == rules["style-src"] == {"'self'"}
    assert rules["connect-src"] == {"'self'", "ws://127.0.0.1:8765"}
    assert "unsafe" not in policy
    assert "*" not in policy


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    bucket = Bucket(rate=2, burst=3)
    assert [bucket.allow(0.0) for _ in range(5)] == [True, True, True, False, False]
    assert [bucket.allow(0.5), bucket.allow(0.5)] == [True, False]
    assert [bucket.allow(100.0) for _ in range(5)] == [True, True, True, False, False]
