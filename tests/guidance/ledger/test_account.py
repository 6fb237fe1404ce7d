import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidance.errors import RefusedError
from guidance.ledger import Account, Disposition


def received(*seeds: int) -> Account:
    account = Account()
    for i, n in enumerate(seeds):
        account = account.check_in(f"C{i}", "6711", 0.6, n)
    return account


def test_an_ordinary_implant_balances() -> None:
    account = received(15, 15).insert("C0", 15).drop("C0").misfire().drop("C0").remove("C0", 13)
    view = account.view(directive=20, seen=None)
    assert (view.received, view.implanted, view.in_cartridges, view.misfires) == (30, 2, 28, 1)
    assert view.balanced
    account = account.close("C0", 13, Disposition.RETURNED).close("C1", 15, Disposition.WASTE)
    view = account.view(directive=20, seen=2)
    assert (view.returned, view.waste, view.in_cartridges) == (13, 15, 0)
    assert view.balanced


def test_one_seed_short_at_close_out_is_unresolved() -> None:
    view = received(15).drop("C0", 5).close("C0", 9, Disposition.RETURNED).view(directive=5, seen=5)
    assert view.unresolved == 1
    assert not view.balanced


def test_an_unknown_stroke_unbalances_until_it_is_resolved_or_counted() -> None:
    account = received(10).drop("C0", 3).unknown("C0")
    assert account.view(directive=9, seen=None).unresolved == 1
    gone = account.resolve("C0", dropped=True).view(directive=9, seen=None)
    assert (gone.implanted, gone.in_cartridges, gone.balanced) == (4, 6, True)
    stayed = account.resolve("C0", dropped=False).view(directive=9, seen=None)
    assert (stayed.implanted, stayed.in_cartridges, stayed.balanced) == (3, 7, True)
    assert account.close("C0", 7, Disposition.RETURNED).view(directive=9, seen=3).balanced
    assert not account.close("C0", 6, Disposition.RETURNED).view(directive=9, seen=3).balanced


def test_a_drop_from_a_cartridge_nobody_received_never_balances() -> None:
    view = received(10).insert("X", 5).drop("X").view(directive=1, seen=1)
    assert view.unresolved == 1
    assert not view.balanced


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda a: a.check_in("C0", "6711", 0.6, 15), "already received"),
        (lambda a: a.check_in("C9", "6711", 0.0, 15), "cannot be received"),
        (lambda a: a.close("C9", 0, Disposition.WASTE), "no cartridge C9"),
        (lambda a: a.insert("C0", 15).close("C0", 1, Disposition.WASTE), "still in the applicator"),
        (lambda a: a.close("C0", -1, Disposition.WASTE), "cannot hold"),
        (lambda a: a.resolve("C0", dropped=True), "no stroke of unknown outcome"),
    ],
)
def test_what_makes_no_sense_is_refused(act, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RefusedError, match=words):
        act(received(15))


@given(st.lists(st.sampled_from(["drop", "misfire", "unknown", "stay", "went"]), max_size=40))
def test_every_seed_has_a_place_whatever_happens(story: list[str]) -> None:
    account, unknown = received(50), 0
    for act in story:
        if act == "drop":
            account = account.drop("C0")
        elif act == "misfire":
            account = account.misfire()
        elif act == "unknown":
            account, unknown = account.unknown("C0"), unknown + 1
        elif unknown:
            account, unknown = account.resolve("C0", dropped=act == "went"), unknown - 1
        view = account.view(directive=0, seen=None)
        assert view.received == view.implanted + view.in_cartridges + view.unresolved
        assert view.unresolved == unknown
        assert view.balanced == (unknown == 0)
