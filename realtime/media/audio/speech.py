"""The system's own voice: a program that every system of its kind has, or may have. Nothing is sent anywhere."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

_MAC_VOICES: Mapping[str, str] = {"en": "Samantha", "de": "Anna", "es": "Monica"}
_WINDOWS = (
    "Add-Type -AssemblyName System.Speech; $v = New-Object System.Speech.Synthesis.SpeechSynthesizer; "
    "$c = [System.Globalization.CultureInfo]::GetCultureInfo('{language}'); "
    "try {{ $v.SelectVoiceByHints('NotSet', 'NotSet', 0, $c) }} catch {{ }}; $v.Speak([Console]::In.ReadToEnd())"
)


def speaking_program(language: str) -> Sequence[str] | None:
    """The command that reads its standard input, or its last argument, aloud; None: this system has no voice."""
    if sys.platform == "darwin":
        return ("say", "-v", _MAC_VOICES[language]) if language in _MAC_VOICES else ("say",)
    if sys.platform == "win32":
        return ("powershell", "-NoProfile", "-Command", _WINDOWS.format(language=language))
    for name, options in (
        ("spd-say", ("-w", "-e", "-l", language)),
        ("espeak-ng", ("-v", language)),
        ("espeak", ("-v", language)),
    ):
        if found := shutil.which(name):
            return (found, *options)
    return None


class Voice:
    """Reads sentences aloud, one at a time; a new one interrupts the one before.

    Look for a voice.

    Args:
        language: two letters.
    """

    def __init__(self, language: str) -> None:
        self._command = speaking_program(language)
        self._speaking: subprocess.Popen[bytes] | None = None

    @property
    def there(self) -> bool:
        """Whether this system has a voice."""
        return self._command is not None

    def say(self, sentence: str) -> None:
        """Begin to read; returns at once. A voice that fails is silent from then on."""
        if self._command is None:
            return
        self.close()
        try:
            self._speaking = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            assert self._speaking.stdin is not None
            self._speaking.stdin.write(sentence.encode())
            self._speaking.stdin.close()
        except OSError:
            self._command = None

    def close(self) -> None:
        """Be silent. Safe to call twice."""
        process, self._speaking = self._speaking, None
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()
