"""Files of certificates are read as companies hand them out, and what cannot be used is told with its cause."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import keyring
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from keyring.backends import null
from pydantic import SecretStr

from poolwright.concurrency import SystemClock
from poolwright.domain.errors import OptionsError
from poolwright.domain.options import BrowserOptions
from poolwright.service.certificates import Certificates, find_certificates
from poolwright.service.pool_config import resolve_worker_config, secret_texts
from poolwright.settings import Settings
from tests.support.certificates import make, new_key

ROOT = make("Company Root", is_authority=True)
ANNA = make("anna", ROOT)
EARLIER = SystemClock().now() - timedelta(days=90)


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", null.Keyring())


def settings(password: str = "", **paths: Path) -> Settings:
    every: dict[str, Any] = {
        "ca_file": None,
        "client_cert": None,
        "client_key": None,
        "playwright_browsers_path": None,
        **paths,
    }
    return Settings.model_construct(client_key_password=SecretStr(password), **every)


def file(folder: Path, content: str | bytes, name: str = "x.pem") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(told: Settings) -> str:
    with pytest.raises(OptionsError) as caught:
        find_certificates(told)
    return str(caught.value)


def test_without_settings_there_is_nothing() -> None:
    assert find_certificates(settings()) == Certificates()


@pytest.mark.parametrize("content", [ROOT.pem, ROOT.der, "bag attributes\n" + ANNA.pem + ROOT.pem])
def test_authorities_are_taken_from_every_usual_file(content: str | bytes, tmp_path: Path) -> None:
    found = find_certificates(settings(ca_file=file(tmp_path, content)))

    assert found.authorities == ROOT.pem
    assert found.found == (f"ca_file: Company Root, until {ROOT.certificate.not_valid_after_utc:%Y-%m-%d}",)
    assert found.ends == ROOT.certificate.not_valid_after_utc


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (None, "cannot be read (No such file or directory)"),
        ("hello", "contains no readable certificate"),
        (ANNA.pem, "is the certificate of anna, which is not a certificate authority"),
        (make("Old Root", is_authority=True, begins=EARLIER).pem, "ended on"),
    ],
)
def test_a_file_without_an_authority_is_told(content: str | None, cause: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem" if content is None else file(tmp_path, content)
    told = refusal(settings(ca_file=path))

    assert told.startswith(f"ca_file (POOLWRIGHT_CA_FILE) is '{path}', which {cause}")


@pytest.mark.parametrize(
    ("cert", "key", "password"),
    [
        (ANNA.pem + ANNA.key_pem(), None, ""),
        (ANNA.key_pem("hunter2") + ROOT.pem + ANNA.pem, None, "hunter2"),
        (ANNA.pem, ANNA.key_pem(), ""),
        (ANNA.pem, ANNA.key_pem(), "not needed"),
        (ANNA.der, ANNA.key_pem("hunter2"), "hunter2"),
        (ANNA.packed("hunter2"), None, "hunter2"),
    ],
)
def test_a_certificate_and_its_key_are_taken_from_every_usual_file(
    cert: str | bytes, key: str | None, password: str, tmp_path: Path
) -> None:
    paths = {"client_cert": file(tmp_path, cert)}
    paths |= {"client_key": file(tmp_path, key, "key.pem")} if key else {}
    identity = find_certificates(settings(password, **paths)).identity

    assert identity is not None
    assert identity.name == "anna"
    assert identity.chain.startswith(ANNA.pem)
    assert identity.key.text == ANNA.key_pem()
    assert "PRIVATE" not in repr(BrowserOptions(identity=identity))


@pytest.mark.parametrize(
    ("cert", "key", "password", "cause"),
    [
        (None, None, "", "cannot be read"),
        (ANNA.pem, None, "", "contains no private key (PEM). Set client_key to the file that does"),
        (ANNA.pem + ANNA.key_pem("hunter2"), None, "", "cannot be decrypted with the configured passphrase"),
        (ANNA.pem + ANNA.key_pem("hunter2"), None, "wrong", "(POOLWRIGHT_CLIENT_KEY_PASSWORD)"),
        (ANNA.packed("hunter2"), None, "wrong", "cannot be decrypted with the configured passphrase"),
        (ANNA.pem, make("berta").key_pem(), "", "contains no certificate that matches the key"),
        (make("anna", ROOT, begins=EARLIER).pem, "its own", "", "is valid from"),
    ],
)
def test_a_certificate_that_cannot_be_shown_is_told(
    cert: str | bytes | None, key: str | None, password: str, cause: str, tmp_path: Path
) -> None:
    path = tmp_path / "none.pem" if cert is None else file(tmp_path, cert)
    if key == "its own":
        old = make("anna", ROOT, begins=EARLIER)
        path, key = file(tmp_path, old.pem), old.key_pem()
    paths = {"client_cert": path} | ({"client_key": file(tmp_path, key, "key.pem")} if key else {})
    told = refusal(settings(password, **paths))

    assert told.startswith(f"client_cert (POOLWRIGHT_CLIENT_CERT) is '{path}', which ")
    assert cause in told


def test_a_key_of_a_kind_that_no_browser_shows_is_told(tmp_path: Path) -> None:
    odd = make("odd", key=ed25519.Ed25519PrivateKey.generate())
    told = refusal(settings(client_cert=file(tmp_path, odd.pem + odd.key_pem())))

    assert "neither RSA nor EC" in told


def test_a_key_alone_is_told(tmp_path: Path) -> None:
    told = refusal(settings(client_key=file(tmp_path, ANNA.key_pem())))

    assert "POOLWRIGHT_CLIENT_CERT" in told


def test_the_passphrase_may_lie_in_the_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path, ANNA.pem + ANNA.key_pem("hunter2"))
    monkeypatch.setattr(keyring, "get_password", lambda _, entry: "hunter2" if entry == str(path) else None)

    assert find_certificates(settings(client_cert=path)).identity is not None


def test_keys_of_both_kinds_are_read(tmp_path: Path) -> None:
    of_rsa = make("rosa", ROOT, key=new_key(is_rsa=True))

    assert find_certificates(settings(client_cert=file(tmp_path, of_rsa.pem + of_rsa.key_pem()))).identity


def test_a_browser_that_shows_no_certificates_is_refused(tmp_path: Path) -> None:
    shell = file(tmp_path, "#!/bin/sh\n", "chromium-headless-shell")
    shell.chmod(0o700)
    own = file(tmp_path, ANNA.pem + ANNA.key_pem())
    told = settings(client_cert=own, browser_path=shell)

    with pytest.raises(OptionsError, match="POOLWRIGHT_BROWSER_PATH"):
        resolve_worker_config(told, None)


def test_its_passphrase_is_kept_out_of_logs() -> None:
    assert "hunter2" in secret_texts(Settings(client_key_password=SecretStr("hunter2")))
