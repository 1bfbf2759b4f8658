"""Selenium: one browser, one tab after the other, a click for each attachment. It knows no tabs at the same time."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import presence_of_element_located
from selenium.webdriver.support.wait import WebDriverWait

from bench.peers.job import LINKS, LOADED, Job, read_job, tell_done

LIMIT_S = 30


def wait_for_files(folder: Path, count: int) -> None:
    """Return when a folder has so many files and none is under way; Selenium tells nothing of downloads."""
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        if len(names) >= count and not any(name.endswith((".crdownload", ".tmp")) for name in names):
            return
        time.sleep(0.02)  # noqa: TID251 - it has no event to wait for


def main(job: Job) -> None:
    """Bring every order."""
    options = webdriver.ChromeOptions()
    options.binary_location = job.browser
    options.add_experimental_option("prefs", {"plugins.always_open_pdf_externally": True})  # else it shows them
    for argument in ("--headless=new", f"--user-data-dir={job.profile}", *(["--no-sandbox"] * (os.geteuid() == 0))):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(job.driver))
    for cookie in job.cookies:
        kept = {key: value for key, value in cookie.items() if key in {"name", "value", "domain", "path"}}
        driver.execute_cdp_cmd("Network.setCookie", kept)
    first = driver.current_window_handle
    for address in job.addresses:
        folder = Path(job.folder) / address.rpartition("/")[2]
        folder.mkdir(parents=True)
        driver.switch_to.new_window("tab")
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
        driver.get(address)
        WebDriverWait(driver, LIMIT_S).until(presence_of_element_located((By.CSS_SELECTOR, LOADED)))
        for count, link in enumerate(driver.find_elements(By.CSS_SELECTOR, LINKS), start=1):
            link.click()
            wait_for_files(folder, count)
        driver.close()
        driver.switch_to.window(first)
        tell_done(address)
    driver.quit()


if __name__ == "__main__":
    main(read_job(sys.argv[1]))
