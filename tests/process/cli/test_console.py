"""What a program is started with: streams that are closed, full, without a reader, or without the letters."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="descriptors of POSIX")

SECURED = (
    "import sys; from poolwright.cli.streams import secure_streams, stream_losses; secure_streams(); "
    "from poolwright.cli.terminal import console\n"
)
DONE = "from pathlib import Path; Path(sys.argv[1]).write_text(repr(list(stream_losses())))"


def after(folder: Path, script: str, redirection: str) -> str:
    """What a program that is started so lost at its end; it must end well, and without a word of complaint."""
    told = folder / "told"
    program = [sys.executable, "-c", f"{SECURED}{script}\n{DONE}", str(told)]

    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *program], cwd=ROOT, capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, b""), done
    return told.read_text()


MANY = "for number in range(3_000): console().out(number)"


def test_a_reader_that_goes_away_stops_nothing_and_is_no_loss() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    script = f"{SECURED}{MANY}\nprint('done', list(stream_losses()), file=sys.stderr)"

    done = subprocess.run(
        [sys.executable, "-c", script], stdout=write_end, stderr=subprocess.PIPE, check=False, cwd=ROOT
    )
    os.close(write_end)

    assert (done.returncode, done.stderr) == (0, b"done []\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_under_the_output_loses_lines_and_nothing_else(tmp_path: Path) -> None:
    assert after(tmp_path, MANY, ">/dev/full") == "['output to standard output was lost: No space left on device']"


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_streams_are_filled_so_that_no_file_takes_their_place(redirection: str, tmp_path: Path) -> None:
    script = f"{MANY}\nimport os\nassert os.open('/dev/null', 0) > 2"

    assert after(tmp_path, script, redirection) == "[]"


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1"])
def test_letters_that_the_encoding_lacks_are_replaced(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    script = f"{SECURED}console().out('Angebot \\u00e4 \\u65e5\\u672c \\u2603')"

    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        check=True,
        cwd=ROOT,
    )

    letter = "?" if encoding == "ascii" else "\u00e4"
    assert done.stdout.decode(encoding) == f"Angebot {letter} ?? ?\n"


@pytest.mark.parametrize("locale", ["C", "de_DE.ISO-8859-1"])
def test_names_of_files_hold_every_letter_whatever_the_locale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locale: str
) -> None:
    for name, value in {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "Stra\u00dfe \u65e5"
    folder.mkdir()
    script = "import sys; from poolwright.cli.start import restart_in_utf8; restart_in_utf8()\n"
    script += "from pathlib import Path; (Path(sys.argv[1]) / '\\u2603.pdf').touch()\n"
    script += "import os; from poolwright import interpreter\n"
    script += "print(os.environ['PYTHONUTF8'], *interpreter.python_command()[1:])"

    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, check=False, cwd=ROOT)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.split() == [b"0", b"-P", b"-X", b"utf8"], "ours go on so, and the environment is as it was"
    assert [file.name for file in folder.iterdir()] == ["\u2603.pdf"]


def test_a_line_that_was_torn_ends_before_the_next_one(tmp_path: Path) -> None:
    script = """
import io
from poolwright.cli.streams import TolerantStream
class SmallPipe(io.RawIOBase):
    room, taken = 3, b""
    def writable(self): return True
    def write(self, data):
        if not self.room: raise OSError(28, "No space left on device")
        piece = bytes(data)[: self.room]; self.room -= len(piece); self.taken += piece
        return len(piece)
narrow = SmallPipe(); outlet = TolerantStream(narrow)
outlet.write(b"first\\n"); outlet.write(b"second\\n"); narrow.room = 100; outlet.write(b"third\\n")
assert narrow.taken == b"fir\\nthird\\n", narrow.taken
"""
    assert after(tmp_path, script, "") == "[]"


def test_ctrl_c_while_the_program_is_loading_shows_no_traceback() -> None:
    script = (
        "import os, signal, poolwright.cli.start as start\n"
        "start.secure_streams = lambda: os.kill(os.getpid(), signal.SIGINT)\nstart.main()"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, cwd=ROOT)

    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


def test_a_list_on_a_closed_standard_input_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "profiles").mkdir()
    command = [sys.executable, "-m", "poolwright", "run", "-", "--portal", "demo", "--base-url", "http://127.0.0.1:9"]
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *command],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 3
    assert b"Standard input is closed" in done.stderr
