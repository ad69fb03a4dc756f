"""What the page says, in English and Russian."""

from collections.abc import Mapping

Texts = Mapping[str, str]

ENGLISH: Texts = {
    "lang": "en",
    "badge_logged_out": "Not logged in",
    "badge_code_sent": "Code sent",
    "badge_active": "Logged in",
    "badge_login_required": "Login needed",
    "title_phone": "Log in",
    "title_phone_again": "Log in again",
    "lead_phone": "An SMS with a code will be sent to the patient's phone.",
    "lead_phone_again": "The earlier login has ended and cannot be renewed. An SMS "
    "with a new code will be sent to the patient's phone.",
    "phone": "Phone number",
    "send_code": "Send the code",
    "have_code": "I already have a code",
    "enter_code": "Enter the code",
    "lead_code": "An SMS with a code was sent to {phone}.",
    "code": "Code from the SMS",
    "log_in": "Log in",
    "send_again": "Send a new code",
    "possible_in": "possible in",
    "seconds": "s",
    "other_phone": "Use another number",
    "logged_in": "You are logged in",
    "lead_active": "Calls are forwarded as {phone}. The login is renewed by itself.",
    "lead_active_ending": "Calls are forwarded as {phone}. The login cannot be "
    "renewed: log in again before it ends.",
    "refresh": "Refresh now",
    "log_out": "Log out",
    "calling": "How programs call",
    "calling_lead": "Send requests to this address instead of the partner API; the "
    "login is added on the way.",
    "details": "Details",
    "row_phone": "Phone",
    "row_expires_at": "Valid until",
    "row_refresh_due_at": "Next refresh",
    "row_login_needed_by": "Login needed by",
    "row_last_refresh": "Last refresh",
    "row_last_error": "Last error",
    "row_store": "Tokens kept in",
    "row_listen": "Listens at",
    "row_upstream": "Forwards to",
    "never": "never",
    "none": "none",
    "done_code": "The code is on its way.",
    "done_login": "You are logged in.",
    "done_refresh": "The login was refreshed.",
    "done_logout": "You are logged out. The tokens were deleted here.",
    "wrong_phone": "The phone number does not work.",
    "wrong_code": "The code does not work. Check it and try again.",
    "too_many_codes": "Too many wrong codes. Ask for a new one.",
    "cooldown": "Too soon. Try again in {seconds} s.",
    "too_many": "Too many tries for now. Wait a while and try again.",
    "login_required": "The login has ended. Log in again.",
    "refused": "The authorization server refused. Log in again.",
    "upstream": "The partner API cannot be reached or does not answer. Try again.",
    "store": "The tokens cannot be saved.",
    "csrf": "This page was out of date. Please try again.",
    "other": "That did not work.",
}

RUSSIAN: Texts = {
    "lang": "ru",
    "badge_logged_out": "Вход не выполнен",
    "badge_code_sent": "Код отправлен",
    "badge_active": "Вход выполнен",
    "badge_login_required": "Нужно войти",
    "title_phone": "Вход",
    "title_phone_again": "Войдите снова",
    "lead_phone": "На телефон пациента придёт СМС с кодом.",
    "lead_phone_again": "Прежний вход закончился, продлить его нельзя. На телефон "
    "пациента придёт СМС с новым кодом.",
    "phone": "Номер телефона",
    "send_code": "Отправить код",
    "have_code": "У меня уже есть код",
    "enter_code": "Введите код",
    "lead_code": "СМС с кодом отправлено на номер {phone}.",
    "code": "Код из СМС",
    "log_in": "Войти",
    "send_again": "Отправить новый код",
    "possible_in": "можно через",
    "seconds": "с",
    "other_phone": "Другой номер",
    "logged_in": "Вход выполнен",
    "lead_active": "Запросы уходят от имени {phone}. Вход продлевается сам.",
    "lead_active_ending": "Запросы уходят от имени {phone}. Продлить вход нельзя: "
    "войдите снова, пока он не закончился.",
    "refresh": "Обновить сейчас",
    "log_out": "Выйти",
    "calling": "Как обращаться из программ",
    "calling_lead": "Отправляйте запросы на этот адрес вместо адреса API; данные "
    "входа добавятся по дороге.",
    "details": "Подробности",
    "row_phone": "Телефон",
    "row_expires_at": "Действует до",
    "row_refresh_due_at": "Следующее обновление",
    "row_login_needed_by": "Войти до",
    "row_last_refresh": "Последнее обновление",
    "row_last_error": "Последняя ошибка",
    "row_store": "Токены хранятся в",
    "row_listen": "Принимает запросы",
    "row_upstream": "Передаёт на",
    "never": "не было",
    "none": "нет",
    "done_code": "Код отправлен.",
    "done_login": "Вход выполнен.",
    "done_refresh": "Вход обновлён.",
    "done_logout": "Вы вышли. Токены здесь удалены.",
    "wrong_phone": "Номер телефона не подходит.",
    "wrong_code": "Код не подошёл. Проверьте его и попробуйте ещё раз.",
    "too_many_codes": "Слишком много неверных кодов. Запросите новый.",
    "cooldown": "Слишком рано. Попробуйте через {seconds} с.",
    "too_many": "Слишком много попыток. Подождите и попробуйте снова.",
    "login_required": "Вход закончился. Войдите снова.",
    "refused": "Сервер авторизации отказал. Войдите снова.",
    "upstream": "API недоступен или не отвечает. Попробуйте ещё раз.",
    "store": "Не удалось сохранить токены.",
    "csrf": "Страница устарела. Попробуйте ещё раз.",
    "other": "Не получилось.",
}


def texts_for(accept_language: str) -> Texts:
    """Return the texts in the language that `Accept-Language` likes best."""
    best, best_weight = ENGLISH, 0.0
    for item in accept_language.lower().split(",")[:20]:
        tag, _, parameters = item.partition(";")
        texts = {"en": ENGLISH, "ru": RUSSIAN}.get(tag.strip().partition("-")[0])
        weight = _weight(parameters)
        if texts is not None and weight > best_weight:
            best, best_weight = texts, weight
    return best


def _weight(parameters: str) -> float:
    name, _, number = parameters.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(number)
    except ValueError:
        return 0.0
