"""The conversation between patient and doctor."""

import random

from proxy.sandbox.answers import Answer, bad_argument, conflict, item, not_found, page
from proxy.sandbox.calls.call import Call
from proxy.sandbox.data import texts
from proxy.sandbox.data.patient import ACTIVE, RUNNING, Consultation, Message


def get_all(call: Call) -> Answer:
    """List messages from an instant on, forward in time or backward."""
    found = call.patient.messages()
    if call.query.has("requestId"):
        wanted = call.own_consultation(call.query.whole("requestId")).id
        found = [message for message in found if message.request_id == wanted]
    forward = call.query.truth("lookForward", default=True)
    if call.query.has("createdFromUtc"):
        since = call.query.date("createdFromUtc")
        found = [m for m in found if (m.created_at >= since) == forward]
    if not forward:
        found.reverse()
    return page([message.shown() for message in found], *call.paging)


def get_all_unread(call: Call) -> Answer:
    """List what doctors wrote and the patient has not read."""
    found = [m for m in call.patient.messages() if not m.is_read]
    return page([message.shown() for message in found], *call.paging)


def add(call: Call) -> Answer:
    """Add the patient's message; the doctor answers at once."""
    one = call.consultation("writing")
    text, attachments = call.body.text("text"), call.attachments()
    if one.status not in ACTIVE:
        raise conflict("status", "Консультация завершена.")
    number = call.world.new_id()
    message = Message(number, one.id, True, text, call.now, True, attachments)
    one.messages.append(message)
    _reply(call, one)
    return item(message.shown())


def mark_as_read(call: Call) -> Answer:
    """Mark messages by their ids, or all of one consultation."""
    wanted = call.body.texts("messageIds") or call.body.texts("ids")
    name, arguments = call.either("requestId")
    if wanted:
        marked = [_own_message(call, number) for number in wanted]
    elif arguments.has(name):
        marked = call.own_consultation(arguments.whole(name)).messages
    else:
        raise bad_argument("messageIds", "Укажите messageIds или requestId.")
    fresh = [message for message in marked if not message.is_read]
    for message in fresh:
        message.is_read = True
    return item({"markedCount": len(fresh)})


def _own_message(call: Call, number: str) -> Message:
    for message in call.patient.messages():
        if str(message.id) == number:
            return message
    raise not_found("message", f"Сообщение {number} не найдено.")


def _reply(call: Call, one: Consultation) -> None:
    number = call.world.new_id()
    text = random.Random(number).choice(texts.REPLIES)  # noqa: S311
    one.status = RUNNING
    one.messages.append(Message(number, one.id, False, text, call.now, False))
