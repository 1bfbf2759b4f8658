"""What Chromium's own sandbox gets in containers of more and less rights, and what is said about it."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from poolwright.cli.process_exit import ExitCode
from tests.image.containers import podman
from tests.support.program import Ended
from tools.image import IMAGE

pytestmark = pytest.mark.timeout(300)


def docker_like(folder: Path) -> Path:
    """A profile that allows what Docker's own does: no user namespaces without CAP_SYS_ADMIN."""
    rules = json.loads(Path("/usr/share/containers/seccomp.json").read_text(encoding="utf-8"))
    for group in rules["syscalls"]:
        group["names"] = [name for name in group["names"] if name not in {"unshare", "setns", "clone", "clone3"}]
    rules["syscalls"] = [group for group in rules["syscalls"] if group["names"]]
    rules["defaultErrnoRet"] = errno.EPERM
    new_namespaces = 0x7E020000
    no_flags = {"index": 0, "value": new_namespaces, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
    rules["syscalls"].append({"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [no_flags]})
    rules["syscalls"].append({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS, "args": []})
    path = folder / "seccomp.json"
    path.write_text(json.dumps(rules), encoding="utf-8")
    return path


DEMO = ("demo", "--orders", "4", "--out", "/tmp/demo", "--workers", "1")


async def demo_with(*options: str, sandbox: str = "auto") -> Ended:
    """A short demo, in a container with other rights."""
    base = ("--network", "none", "--read-only", "--memory", "2g", "--memory-swap", "2g")
    return await podman("run", "--rm", *base, *options, IMAGE, *DEMO, "--sandbox", sandbox)


@pytest.mark.parametrize(
    ("right", "flag"),
    [("seccomp", "seccomp"), ("chroot", "--cap-add SYS_CHROOT"), ("root", "--user 10001:10001")],
)
async def test_a_sandbox_that_cannot_be_is_told_with_the_flag_that_allows_it(
    right: str, flag: str, tmp_path: Path
) -> None:
    options = {
        "seccomp": ("--security-opt", f"seccomp={docker_like(tmp_path)}"),
        "chroot": ("--cap-drop", "ALL"),
        "root": ("--user", "0:0"),
    }[right]

    ended = await demo_with(*options)

    assert ended.code == ExitCode.DONE, ended
    assert "4 of 4 orders as expected" in ended.out
    assert "without Chromium's own sandbox" in ended.out
    assert flag in ended.out


async def test_a_sandbox_that_was_asked_for_is_never_left_out(tmp_path: Path) -> None:
    ended = await demo_with("--security-opt", f"seccomp={docker_like(tmp_path)}", sandbox="on")

    assert ended.code == ExitCode.RESOURCES, ended
    assert "sandbox" in ended.errors
