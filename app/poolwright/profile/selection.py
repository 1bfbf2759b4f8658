"""What of a user-data folder a clone needs: everything but caches, histories, tabs and locks. Pure.

A deny list, not an allow list: Chromium keeps adding stores that hold logins, and a clone without one of them is half
logged out. Leaving out what is below was measured to cost nothing that a site can see.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

#: Denied directly in the user-data folder and in ``Default/``, the only places where Chromium puts them.
DENIED_NAMES = frozenset(
    {
        # Caches.
        "BrowserMetrics",
        "Cache",
        "Code Cache",
        "component_crx_cache",
        "DawnGraphiteCache",
        "DawnWebGPUCache",
        "extensions_crx_cache",
        "GPUCache",
        "GPUPersistentCache",
        "GraphiteDawnCache",
        "GrShaderCache",
        "ShaderCache",
        "Shared Dictionary",
        # Models, reports and statistics of the browser itself.
        "Affiliation Database",
        "blob_storage",
        "Crashpad",
        "optimization_guide_model_store",
        "OptimizationGuideModelsManifest",
        "Reporting and NEL",
        "Safe Browsing",
        "Segmentation Platform",
        "segmentation_platform",
        "shared_proto_db",
        "Site Characteristics Database",
        "Snapshots",
        # Where the person has been.
        "Favicons",
        "History",
        "Top Sites",
        # Tabs to open again: they would come up in every worker beside its keeper tab.
        "Sessions",
        "Sessions_Encrypted",
        # Proof that a browser runs on this very folder.
        "DevToolsActivePort",
        "lockfile",
    }
)
#: Files denied wherever they stand: each LevelDB makes its own anew.
DENIED_FILES = frozenset({"LOCK", "LOG", "LOG.old"})
#: Denied directly in the user-data folder: locks of the living browser, and other people's profiles beside Default.
DENIED_PATTERNS = ("Singleton*", "Profile *", "Guest Profile", "System Profile")

_DEFAULT = "Default"
_SQLITE_COMPANIONS = ("-journal", "-wal", "-shm")


def _main_name(name: str) -> str:
    # A database and its journal go the same way.
    for companion in _SQLITE_COMPANIONS:
        name = name.removesuffix(companion)
    return name


def is_wanted(parts: tuple[str, ...], *, is_folder: bool) -> bool:
    """Whether a clone needs the file or folder with this path below the user-data folder.

    What lies in a folder that isn't wanted is never asked about.
    """
    name = parts[-1]
    if not is_folder and name in DENIED_FILES:
        return False
    if len(parts) == 1 and any(fnmatchcase(name, pattern) for pattern in DENIED_PATTERNS):
        return False
    is_chromes_own_place = len(parts) == 1 or parts[:-1] == (_DEFAULT,)
    return not (is_chromes_own_place and _main_name(name) in DENIED_NAMES)
