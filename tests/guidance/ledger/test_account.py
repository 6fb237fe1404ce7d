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


SERIAL = st.sampled_from(["C0", "C1", "X"])
ACTS = st.one_of(
    st.tuples(st.just("check_in"), SERIAL, st.integers(1, 6)),
    st.tuples(st.just("insert"), SERIAL, st.integers(0, 6)),
    st.tuples(st.just("remove"), SERIAL, st.integers(0, 6)),
    st.tuples(st.just("drop"), SERIAL, st.integers(1, 2)),
    st.tuples(st.just("misfire"), SERIAL, st.just(0)),
    st.tuples(st.just("unknown"), SERIAL, st.just(0)),
    st.tuples(st.just("resolve"), SERIAL, st.integers(0, 1)),
    st.tuples(st.just("close"), SERIAL, st.integers(0, 8)),
)


def after(account: Account, act: str, serial: str, number: int) -> Account:
    match act:
        case "check_in":
            return account.check_in(serial, "6711", 0.6, number, lot="L", assay_u=0.61)
        case "misfire":
            return account.misfire()
        case "unknown":
            return account.unknown(serial)
        case "resolve":
            return account.resolve(serial, dropped=bool(number))
        case "close":
            return account.close(serial, number, list(Disposition)[number % 3])
    changed: Account = getattr(account, act)(serial, number)
    return changed


@given(st.lists(ACTS, max_size=30))
def test_the_equation_holds_over_any_history(history: list[tuple[str, str, int]]) -> None:
    """Cartridges nobody received, wrong counts, seeds too many: each seed has one place."""
    account = Account()
    for act in history:
        try:
            account = after(account, *act)
        except RefusedError:
            continue
        view = account.view(directive=0, seen=None)
        places = (
            view.implanted, view.in_cartridges, view.returned, view.assayed, view.waste,
            view.unresolved - view.surplus,
        )  # fmt: skip
        assert min(*places, view.surplus) >= 0
        assert view.received + view.surplus == sum(places)
        assert view.balanced == (view.unresolved == 0)
