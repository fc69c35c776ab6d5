from web.ledger import SIZE, WRAP, Ledger


def test_numbers_grow_and_sequence_numbers_lead_back_to_them() -> None:
    ledger = Ledger(0.5)
    numbers = [ledger.enter(seq, seq / 30) for seq in range(100, 110)]
    assert numbers == list(range(1, 11))
    assert ledger.number(109) == 10 and ledger.number(100) == 1
    assert ledger.number(110) is None, "not sent yet"
    assert ledger.number(99) is None, "before the beginning"


def test_the_sequence_may_wrap() -> None:
    ledger = Ledger(0.5)
    for seq in (WRAP - 2, WRAP - 1, 0, 1):
        ledger.enter(seq, 1.0)
    assert [ledger.number(seq) for seq in (WRAP - 2, 0, 1, 2)] == [1, 3, 4, None]


def test_overdue_follows_half_a_second_behind() -> None:
    ledger = Ledger(0.5)
    for seq in range(60):
        ledger.enter(seq, seq / 30)
    newest_age = ledger.age(ledger.overdue, 59 / 30)
    assert 0.5 < newest_age < 0.5 + 2 / 30


def test_what_is_forgotten_is_as_old_as_the_oldest() -> None:
    ledger = Ledger(0.5)
    for seq in range(3 * SIZE):
        ledger.enter(seq, float(seq))
    now = float(3 * SIZE)
    assert ledger.age(1, now) == ledger.age(2 * SIZE + 1, now) == SIZE
    assert ledger.number(0) is None
    assert ledger.overdue == 3 * SIZE - 1
