"""The examples as a newcomer's editor reads them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.timeout(120)

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def test_an_author_sees_types_where_poolwright_is_installed(tmp_path: Path) -> None:
    for example in EXAMPLES:
        shutil.copy(example, tmp_path)
    wrong = "from poolwright import POTask, Processor, Tab\nasync def f(tab: Tab, task: POTask) -> int:\n    return 3\n"
    (tmp_path / "wrong.py").write_text(f"{wrong}p: Processor = f\n", encoding="utf-8")
    right = "from poolwright import Processor\nfrom print_pages import print_page\np: Processor = print_page\n"
    (tmp_path / "right.py").write_text(right, encoding="utf-8")
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict"}), encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] == len(EXAMPLES) + 2
    told = [(Path(one["file"]).name, one.get("rule")) for one in found["generalDiagnostics"]]
    assert told == [("wrong.py", "reportAssignmentType")]
