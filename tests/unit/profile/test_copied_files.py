"""What a clone gets, path by path."""

from __future__ import annotations

import pytest

from poolwright.profile.clone import is_copied

WANTED_FILES = [
    "Local State",
    "Last Version",
    "First Run",
    "Default/Preferences",
    "Default/Secure Preferences",
    "Default/Cookies",
    "Default/Cookies-journal",
    "Default/Cookies-wal",
    "Default/Network/Cookies",
    "Default/Network/Cookies-journal",
    "Default/Login Data",
    "Default/Web Data",
    "Default/Trust Tokens",
    "Default/TransportSecurity",
    "Default/Network Persistent State",
    "Default/Device Bound Sessions",
    "Default/Local Storage/leveldb/CURRENT",
    "Default/Local Storage/leveldb/000005.ldb",
    "Default/Session Storage/000003.log",
    "Default/IndexedDB/https_portal.test_0.indexeddb.leveldb/000003.log",
    "Default/File System/000/t/00/00000000",
    "Default/Service Worker/ScriptCache/index",
    # Named like caches, but within a store that holds state.
    "Default/File System/History",
    "Default/Local Storage/leveldb/Cache",
]
WANTED_FOLDERS = [
    "Default",
    "Default/Network",
    "Default/Local Storage",
    "Default/Session Storage",
    "Default/IndexedDB",
    "Default/WebStorage",
    "Default/Service Worker",
    "Default/Service Worker/CacheStorage",
    "Default/Service Worker/ScriptCache",
    "Default/File System",
    "Default/Service Worker/CacheStorage/Cache",
    "Default/File System/LOCK",
]
UNWANTED_FILES = [
    "SingletonLock",
    "SingletonCookie",
    "SingletonSocket",
    "lockfile",
    "DevToolsActivePort",
    "Default/History",
    "Default/History-journal",
    "Default/Favicons",
    "Default/Favicons-journal",
    "Default/Top Sites",
    "Default/Top Sites-wal",
    "Default/Affiliation Database",
    "Default/Affiliation Database-journal",
    "Default/Reporting and NEL",
    "Default/LOCK",
    "Default/LOG",
    "Default/LOG.old",
    "Default/Local Storage/leveldb/LOCK",
    "Default/Local Storage/leveldb/LOG",
    "Default/IndexedDB/https_portal.test_0.indexeddb.leveldb/LOG.old",
]
UNWANTED_FOLDERS = [
    "Crashpad",
    "BrowserMetrics",
    "GrShaderCache",
    "ShaderCache",
    "GPUPersistentCache",
    "GraphiteDawnCache",
    "Safe Browsing",
    "Snapshots",
    "component_crx_cache",
    "segmentation_platform",
    "OptimizationGuideModelsManifest",
    "optimization_guide_model_store",
    "Default/Cache",
    "Default/Code Cache",
    "Default/GPUCache",
    "Default/DawnGraphiteCache",
    "Default/DawnWebGPUCache",
    "Default/Sessions",
    "Default/Sessions_Encrypted",
    "Default/Shared Dictionary",
    "Default/Site Characteristics Database",
    "Default/shared_proto_db",
    "Default/Segmentation Platform",
    # Other people's.
    "Profile 1",
    "Guest Profile",
    "System Profile",
]


@pytest.mark.parametrize("path", WANTED_FILES)
def test_state_is_copied(path: str) -> None:
    assert is_copied(tuple(path.split("/")), is_folder=False)


@pytest.mark.parametrize("path", WANTED_FOLDERS)
def test_folders_with_state_are_entered(path: str) -> None:
    assert is_copied(tuple(path.split("/")), is_folder=True)


@pytest.mark.parametrize("path", UNWANTED_FILES)
def test_locks_logs_and_histories_stay_behind(path: str) -> None:
    assert not is_copied(tuple(path.split("/")), is_folder=False)


@pytest.mark.parametrize("path", UNWANTED_FOLDERS)
def test_caches_tabs_and_other_profiles_stay_behind(path: str) -> None:
    assert not is_copied(tuple(path.split("/")), is_folder=True)
