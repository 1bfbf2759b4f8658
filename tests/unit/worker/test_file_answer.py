"""What came in place of a file tells whether a lost login may be the cause, and whether another try can help."""

from __future__ import annotations

import pytest

from poolwright.portal.triage import Verdict
from poolwright.worker.download.browser_downloader import NoFileError, RefusedAnswerError
from poolwright.worker.download.file_answer import FileAnswer


@pytest.mark.parametrize(
    ("answer", "is_in_doubt"),
    [
        (FileAnswer(status=401), True),
        (FileAnswer(status=403), True),
        (FileAnswer(status=200, verdict=Verdict.SESSION_LOST), True),
        (FileAnswer(status=404), False),
        (FileAnswer(status=500), False),
        (FileAnswer(), False),
    ],
    ids=str,
)
def test_a_refusal_for_want_of_rights_or_a_login_page_may_be_a_log_out(
    answer: FileAnswer, *, is_in_doubt: bool
) -> None:
    assert RefusedAnswerError(answer).is_session_in_doubt is is_in_doubt
    assert NoFileError("no file was downloaded", (), answer).is_session_in_doubt is is_in_doubt


@pytest.mark.parametrize(
    ("answer", "is_retryable"),
    [
        (FileAnswer(status=401), False),
        (FileAnswer(status=403), False),
        (FileAnswer(status=403, verdict=Verdict.SESSION_LOST), True),
        (FileAnswer(status=500), True),
    ],
    ids=str,
)
def test_a_file_that_is_refused_as_such_is_not_tried_again(answer: FileAnswer, *, is_retryable: bool) -> None:
    assert RefusedAnswerError(answer).is_retryable is is_retryable
