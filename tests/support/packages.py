"""Packages as installers leave them behind: a module, and the metadata that tells what it offers."""

from __future__ import annotations

from pathlib import Path

from poolwright.sdk.discovery import GROUP


def install(folder: Path, package: str, source: str = "", **offers: str) -> Path:
    """Put a package of one module into a folder.

    Args:
        folder: One that is, or will be, among the places where modules are looked for.
        package: Its name; the module is called the same, with underscores.
        source: Of the module.
        offers: Names of processors, and what each stands for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{package.replace('-', '_')}.py").write_text(source, encoding="utf-8")
    metadata = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
    lines = [f"[{GROUP}]", *(f"{name} = {place}" for name, place in offers.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
