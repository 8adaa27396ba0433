"""A new activation code asked for from the shop: what is recorded, and what its answer brings."""

from uuid import UUID

import pytest

from db.connections.engine import jobs_transaction
from services.connections.answers import ActionAnswer, SettleOutcome, settle
from services.connections.stop_waiting import stop_waiting
from services.errors import InvalidInput
from services.events.awaiting import ActionAwaited
from services.order_actions.reissue import ask_for_reissue, reissue_licence
from tests.services.connections.answers.support import order, renewed
from tests.support.connected import awaited, events, refuse
from tests.support.factories import act, history, item, mails, run

OLD, NEW = "AAAA-1111", "BBBB-2222"
ASKED = f"A new activation code in place of {OLD} was asked for here; the shop has to send it. Reason: Leaked"


def sold() -> int:
    return order(items=[item(item_id="1", activation_codes=[{"code": OLD}])])


def code_of(order_id: int) -> int:
    [[code_id]] = run(
        "SELECT id FROM activation_code WHERE order_id = :id AND code = :code", id=order_id, code=OLD
    )
    return int(code_id)


def codes(order_id: int) -> list[tuple[str, bool]]:
    rows = run("SELECT code, deleted FROM activation_code WHERE order_id = :id ORDER BY number", id=order_id)
    return [tuple(row) for row in rows]


def asked(people: dict[str, int]) -> tuple[int, UUID]:
    order_id = sold()
    act(people["anna"], ask_for_reissue, order_id, code_id=code_of(order_id), reason="Leaked")
    return order_id, awaited(order_id).id


def send(action_id: UUID, connection_id: int, code: str | None = NEW) -> SettleOutcome:
    with jobs_transaction() as connection:
        return settle(connection, action_id, ActionAnswer(True, code=code), from_connection_id=connection_id)


def test_it_is_asked_for_once_and_the_old_code_stays(people: dict[str, int], shop: int) -> None:
    order_id, action_id = asked(people)
    assert (codes(order_id), history(order_id), mails(order_id)) == ([(OLD, False)], [ASKED], [])
    [event] = events(order_id)
    assert (event.type, event.action_id, event.told) == ("license.reissue", action_id, [shop])
    assert (event.data["item_id"], event.data["code_number"], event.data["code"]) == ("1", 1, OLD)
    with pytest.raises(ActionAwaited):
        act(people["anna"], ask_for_reissue, order_id, code_id=code_of(order_id), reason="x")
    with pytest.raises(ActionAwaited):
        act(people["anna"], reissue_licence, order_id, code_id=code_of(order_id), new_code="X", reason="x")
    act(people["anna"], stop_waiting, order_id, action_id=action_id, note="No answer")
    act(people["anna"], reissue_licence, order_id, code_id=code_of(order_id), new_code="TYPED", reason="x")
    assert codes(order_id) == [(OLD, True), ("TYPED", False)]


def test_the_answer_brings_the_code(people: dict[str, int], shop: int) -> None:
    order_id, action_id = asked(people)
    assert send(action_id, shop) is SettleOutcome.CONFIRMED
    assert codes(order_id) == [(OLD, True), (NEW, False)]
    assert history(order_id)[1:] == [
        f"The activation code {OLD} was deleted and replaced by {NEW} (item 1), sent by the shop. Reason: Leaked"
    ]
    [mail] = mails(order_id)
    assert (mail.kind, mail.to_address) == ("licence", "ines@example.com") and NEW in mail.text_body
    assert send(action_id, shop, "ANOTHER") is SettleOutcome.REPEATED
    assert len(codes(order_id)) == 2


@pytest.mark.parametrize("code", [None, OLD])
def test_an_answer_without_a_new_code_is_refused_and_another_counts(
    people: dict[str, int], shop: int, code: str | None
) -> None:
    order_id, action_id = asked(people)
    with pytest.raises(InvalidInput) as refused:
        send(action_id, shop, code)
    assert refused.value.field == "data.code"
    assert awaited(order_id).state == "recorded" and codes(order_id) == [(OLD, False)]
    assert send(action_id, shop) is SettleOutcome.CONFIRMED


def test_a_refusal_leaves_the_old_code(people: dict[str, int], shop: int) -> None:
    order_id, action_id = asked(people)
    refuse(action_id, shop, "no more keys")
    assert codes(order_id) == [(OLD, False)]
    assert history(order_id)[1:] == [
        "The new activation code for item 1 was refused by the shop: no more keys"
    ]
    [mail] = mails(order_id)
    assert mail.to_address == "anna@test.example"


def test_a_document_that_was_faster(people: dict[str, int], shop: int) -> None:
    order_id, action_id = asked(people)
    renewed(order_id, items=[item(item_id="1", activation_codes=[{"code": NEW}])])
    assert send(action_id, shop) is SettleOutcome.CONFIRMED
    assert codes(order_id) == [(NEW, False)]
    assert history(order_id)[-1].startswith(f"The activation code {OLD} was deleted and replaced by {NEW}")
    assert [mail.kind for mail in mails(order_id)] == ["licence"]
    renewed(order_id, items=[item(item_id="1", refunded=True, activation_codes=[{"code": NEW}])])


def test_an_order_that_is_refunded_by_then(people: dict[str, int], shop: int) -> None:
    order_id, action_id = asked(people)
    renewed(order_id, items=[item(item_id="1", refunded=True, activation_codes=[{"code": OLD}])])
    assert send(action_id, shop) is SettleOutcome.CONFIRMED
    assert codes(order_id) == [(OLD, False)]
    assert "could not be carried out here" in history(order_id)[-1]
