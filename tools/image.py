"""Build the image of the Dockerfile and test it without a Docker engine: ``make image-test``.

Debian's own tools do it, for root on a Debian system: mmdebstrap makes the base that the Dockerfile names, from the
mirror that this machine uses; podman imports it under that name; buildah builds; podman and runc run. All of it has
a store of its own, which is removed at the end. The tests get a network of their own, with nothing in it but loopback.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from poolwright.version import __version__
from tools.bootstrap import ROOT, SetupError, apt_install, say, tail

#: Programs, and Debian's package of each.
PROGRAMS = {"buildah": "buildah", "podman": "podman", "runc": "runc", "mmdebstrap": "mmdebstrap", "ip": "iproute2"}
SUITE = "trixie"
BASE = "docker.io/library/debian:trixie-slim"
IMAGE = "localhost/poolwright:test"
SHELL_IMAGE = "localhost/poolwright:test-shell"
SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
OWN_CAS = Path("/usr/local/share/ca-certificates")
#: No documents, and no packages left in layers, as in the public image of the same name.
SLIM_HOOKS = (
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
)
#: Says nothing outside of a checkout.
GIT_HEAD = ("git", "rev-parse", "HEAD")
STEP_LIMIT_S = 1200


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A place with a container store of its own."""

    folder: Path
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def environment(self) -> dict[str, str]:
        """Lets podman and buildah work in this store alone."""
        own = {"CONTAINERS_STORAGE_CONF": "storage.conf", "CONTAINERS_CONF": "containers.conf"}
        return {**os.environ, **{name: str(self.folder / file) for name, file in own.items()}}

    def run(self, *command: object) -> str:
        """Run a program of the lab and return what it printed.

        Raises:
            SetupError: It failed; its last lines are the message.
        """
        arguments = [str(part) for part in command]
        done = subprocess.run(
            arguments,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=STEP_LIMIT_S,
            check=False,
        )
        if done.returncode:
            raise SetupError(f"{tail(done)}\n`{' '.join(arguments[:3])} …` failed with exit code {done.returncode}.")
        return done.stdout

    @contextmanager
    def step(self, name: str, text: str) -> Generator[None]:
        """Tell of a step and time it."""
        say(name, text)
        began_s = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began_s


def require_system() -> None:
    """Only root can make a base system and give containers their limits.

    Raises:
        SetupError: This is no Linux with apt-get, or not root.
    """
    if not sys.platform.startswith("linux") or not shutil.which("apt-get") or os.geteuid() != 0:
        raise SetupError(
            "The image is tested with Debian's own tools, as root on Debian or Ubuntu. "
            "Elsewhere build it with `docker build -t poolwright .` and look with `docker run --rm poolwright doctor`."
        )


def install_programs() -> None:
    """Install what is missing.

    Raises:
        SetupError: Something is still missing afterwards.
    """
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    words = apt_install(*missing) if missing else ""
    still = [program for program in PROGRAMS if not shutil.which(program)]
    if still:
        raise SetupError(f"{words}\nThese programs are needed and could not be installed: {', '.join(still)}.")


def configure(lab: Lab) -> None:
    """A store, and limits that this user may set, for a system with or without systemd."""
    hard_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    pids = int(Path("/proc/sys/kernel/pid_max").read_text(encoding="ascii"))
    hard_processes = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    processes = pids if hard_processes == resource.RLIM_INFINITY else min(pids, hard_processes)
    for name in ("store", "run", "tmp"):
        (lab.folder / name).mkdir(exist_ok=True)
    (lab.folder / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{lab.folder}/store"\nrunroot = "{lab.folder}/run"\n',
        encoding="utf-8",
    )
    (lab.folder / "containers.conf").write_text(
        f'[containers]\ndefault_ulimits = ["nofile={hard_files}:{hard_files}", "nproc={processes}:{processes}"]\n'
        f'[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
        f'tmp_dir = "{lab.folder / "tmp"}"\n',
        encoding="utf-8",
    )


def mirrors(texts: Sequence[str]) -> list[str]:
    """The addresses of Debian that apt uses here: first that of its archive, then that of its security fixes.

    Raises:
        SetupError: There is none.
    """
    addresses = [word for text in texts for word in re.findall(r"^(?!#).*?(https?://\S+)", text, re.MULTILINE)]
    archive = [address for address in addresses if "security" not in address]
    security = [address for address in addresses if "security" in address]
    if not archive:
        raise SetupError("No address of Debian's archive stands in this machine's apt sources.")
    return [archive[0], *security[:1]]


def make_base(lab: Lab) -> None:
    """Make the base system and give it the name that the Dockerfile asks for."""
    texts = [path.read_text(encoding="utf-8") for path in SOURCES if path.is_file()]
    archive, *security = mirrors(texts)
    lines = [f"deb {archive} {SUITE} main", f"deb {archive} {SUITE}-updates main"]
    lines += [f"deb {address} {SUITE}-security main" for address in security]
    packages = lab.folder / "base.tar"
    hooks = [f"--customize-hook={line}" for line in _base_hooks(lab.folder)]
    with lab.step("base", f"Debian {SUITE} from this machine's mirror"):
        lab.run(
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            "--include=ca-certificates",
            *SLIM_HOOKS,
            *hooks,
            SUITE,
            packages,
            *lines,
        )
        lab.run("podman", "import", "--quiet", "--change", 'CMD ["bash"]', packages, BASE)
    packages.unlink()


def _base_hooks(folder: Path) -> list[str]:
    """What the public image has, and this machine's own certificates: a network may sign with them."""
    snippet = folder / "docker-clean"
    snippet.write_text(
        'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };\nAcquire::Languages "none";\n',
        encoding="ascii",
    )
    hooks = [f'cp {snippet} "$1/etc/apt/apt.conf.d/docker-clean"']
    if any(OWN_CAS.glob("*.crt")):
        hooks += [f'cp {OWN_CAS}/*.crt "$1{OWN_CAS}/"', 'chroot "$1" update-ca-certificates']
    uv = folder / "uv.toml"
    uv.write_text("system-certs = true\n", encoding="ascii")
    hooks += ['mkdir -p "$1/etc/uv"', f'cp {uv} "$1/etc/uv/uv.toml"']
    if Path("/etc/pip.conf").is_file():
        hooks.append('cp /etc/pip.conf "$1/etc/pip.conf"')
    return hooks


def build(lab: Lab, image: str, browser: str, revision: str) -> None:
    """Build the Dockerfile with one of its browsers."""
    with lab.step(f"build {browser}", "Dockerfile"):
        lab.run(
            *("buildah", "bud", "--isolation", "chroot", "--network", "host", "--pull-never", "--format", "docker"),
            *("--layers", "--build-arg", f"BROWSER={browser}"),
            *("--build-arg", f"VERSION={__version__}", "--build-arg", f"REVISION={revision}"),
            *("-t", image, "."),
        )


def run_tests(lab: Lab, arguments: Sequence[str]) -> int:
    """Run the tests of the image in a network that holds nothing but loopback."""
    side_by_side = ("-n", "2", "--dist", "worksteal")
    pytest = [
        sys.executable,
        "-m",
        "pytest",
        "tests/image",
        "-m",
        "image",
        *side_by_side,
        "--durations",
        "10",
        *arguments,
    ]
    command = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *pytest]
    with lab.step("tests", "in a network of nothing but loopback"):
        return subprocess.run(command, cwd=ROOT, env=lab.environment, check=False).returncode


def summary(lab: Lab) -> str:
    """Sizes and times, for a person."""
    lines = [""]
    for image in (IMAGE, SHELL_IMAGE):
        size = json.loads(lab.run("podman", "image", "inspect", image))[0]["Size"]
        lines.append(f"{image:<32} {size / 1e9:6.2f} GB")
    lines += [f"{name:<32} {seconds:6.1f} s" for name, seconds in lab.seconds.items()]
    return "\n".join([*lines, f"{'all':<32} {sum(lab.seconds.values()):6.1f} s"])


@contextmanager
def open_lab(kept: Path | None) -> Generator[Lab]:
    """A lab in a new folder, which is removed with all its containers and images; or in a folder that is kept."""
    folder = kept or Path(tempfile.mkdtemp(prefix="pw-image-", dir="/var/tmp"))
    folder.mkdir(exist_ok=True)
    lab = Lab(folder=folder.resolve())
    try:
        yield lab
    finally:
        if kept is None:
            _remove(lab)


def _remove(lab: Lab) -> None:
    if shutil.which("podman"):
        end_containers = ("podman", "rm", "--all", "--force", "--time", "0")
        subprocess.run(end_containers, env=lab.environment, capture_output=True, check=False)
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    for place in sorted((place for place in mounts if place.startswith(f"{lab.folder}/")), reverse=True):
        unmount = ("umount", "--lazy", place)
        subprocess.run(unmount, capture_output=True, check=False)
    shutil.rmtree(lab.folder)


def work(lab: Lab, arguments: Sequence[str]) -> int:
    """From nothing to the tests' exit code.

    Raises:
        SetupError: A step could not be done.
    """
    with lab.step("programs", ", ".join(PROGRAMS)):
        install_programs()
    configure(lab)
    if not lab.run("podman", "images", "--quiet", BASE).strip():
        make_base(lab)
    revision = subprocess.run(GIT_HEAD, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    build(lab, IMAGE, "chromium chromium-headless-shell", revision)
    build(lab, SHELL_IMAGE, "chromium-headless-shell", revision)
    code = run_tests(lab, arguments)
    print(summary(lab))
    return code


def main() -> int:
    """Build and test; the exit code is that of the tests, or 1."""
    parser = argparse.ArgumentParser(
        prog="make image-test", description="Build the image and test it. Further options are pytest's."
    )
    parser.add_argument("--lab", type=Path, help="keep the store in this folder, and use what it has already")
    options, rest = parser.parse_known_args()
    try:
        require_system()
        with open_lab(options.lab) as lab:
            return work(lab, rest)
    except SetupError as error:
        print(f"\n{str(error).strip()}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
