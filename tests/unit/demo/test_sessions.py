from __future__ import annotations

from poolwright.demo.auth import Sessions


class ManualClock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def sessions(*, lifetime_s: float | None = None) -> tuple[Sessions, ManualClock]:
    clock = ManualClock()
    return Sessions(clock=clock, lifetime_s=lifetime_s), clock


def test_only_who_logged_in_is_live() -> None:
    book, _ = sessions()
    token, visit = book.log_in()

    assert book.is_live(token, visit)
    assert not book.is_live("", "")
    assert not book.is_live(visit, token)


def test_the_visit_cookie_is_needed_only_when_told_so() -> None:
    book, _ = sessions()
    token, visit = book.log_in()

    without = book.is_live(token, "")
    book.needs_visit_cookie = True

    assert without
    assert not book.is_live(token, "")
    assert book.is_live(token, visit)


def test_a_session_ends_when_it_is_not_used_for_its_lifetime() -> None:
    book, clock = sessions(lifetime_s=60)
    token, visit = book.log_in()

    clock.now_s = 60
    assert book.is_live(token, visit)
    clock.now_s = 120
    assert book.is_live(token, visit)
    clock.now_s = 181
    assert not book.is_live(token, visit)
    clock.now_s = 182
    assert not book.is_live(token, visit)


def test_a_session_without_lifetime_does_not_end() -> None:
    book, clock = sessions()
    token, visit = book.log_in()

    clock.now_s = 1e9

    assert book.is_live(token, visit)


def test_logging_out_ends_one_session_and_expiry_all() -> None:
    book, _ = sessions()
    first, second, third = book.log_in(), book.log_in(), book.log_in()

    book.log_out(first[0])
    assert [book.is_live(*login) for login in (first, second, third)] == [False, True, True]
    book.expire_all()
    assert [book.is_live(*login) for login in (second, third)] == [False, False]


def test_sessions_end_with_the_order_page_after_the_last_granted_one() -> None:
    book, _ = sessions()
    login = book.log_in()
    book.expire_all(after_pages=2)

    opened = [book.may_open_page(*login), book.is_live(*login), book.may_open_page(*login), book.is_live(*login)]

    assert opened == [True, True, True, True]
    assert not book.may_open_page(*login)
    assert book.may_open_page(*book.log_in())


def test_sessions_end_as_often_as_was_asked_for() -> None:
    book, _ = sessions()
    book.expire_all(after_pages=1, times=2)

    opened: list[bool] = []
    for _ in range(3):
        login = book.log_in()
        opened += [book.may_open_page(*login), book.may_open_page(*login)]

    assert opened == [True, False, True, False, True, True]


def test_strangers_use_up_no_pages() -> None:
    book, _ = sessions()
    login = book.log_in()
    book.expire_all(after_pages=1)

    book.may_open_page("stranger", "")

    assert book.may_open_page(*login)


def test_a_form_token_serves_once() -> None:
    book, _ = sessions()
    token = book.form_token()

    assert not book.redeem_form_token("made up")
    assert book.redeem_form_token(token)
    assert not book.redeem_form_token(token)
