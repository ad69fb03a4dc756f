"""What the page says, in English and Russian."""

import math
from collections.abc import Mapping

Texts = Mapping[str, str]

_NO_BREAK = "\N{NO-BREAK SPACE}"

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
    "code_waits": "A code was already sent to {phone}.",
    "enter_code": "Enter the code",
    "sandbox": "This is a sandbox: the partner API behind it is not real. No SMS is "
    "sent; codes are printed in the terminal where the sandbox runs.",
    "lead_code": "An SMS with a code was sent to {phone}.",
    "code": "Code from the SMS",
    "log_in": "Log in",
    "send_again": "Send a new code",
    "lead_spent": "Too many wrong codes were typed. The one that was sent to {phone} "
    "is of no use any more.",
    "title_spent": "Ask for a new code",
    "possible_from": "possible from",
    "possible_in": "possible in",
    "seconds": "s",
    "minutes": "min",
    "other_phone": "Use another number",
    "ready": "Ready for calls",
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
    "done_login": "The code was right. Programs can call now.",
    "done_refresh": "The login was refreshed.",
    "done_logout": "You are logged out. The tokens were deleted here.",
    "phone_letters": "A phone number has no letters.",
    "phone_empty": "The phone number is missing.",
    "phone_short": "The phone number is too short.",
    "phone_long": "The phone number is too long.",
    "phone_wrong": "This is not a phone number.",
    "phone_how": "Type it with its country code, like +7 916 123-45-67.",
    "number_refused": "The partner API sends no SMS to this number. Check the number.",
    "cooldown": "It is too soon for another SMS. Try again in {wait}.",
    "too_many": "There were too many SMS for now. Wait a while and try again.",
    "sms_failed": "The partner API did not confirm that it sent an SMS.",
    "sms_unsure": "One may arrive all the same.",
    "no_sms": "No SMS was sent.",
    "type_code": "Type the code from the SMS, such as 7654.",
    "wrong_code": "The code is wrong. Check it and try again.",
    "code_refused": "The authorization server did not accept the code.",
    "codes_left": "Tries left: {left}.",
    "codes_spent": "Too many wrong codes. Ask for a new one.",
    "no_code_yet": "Ask for a code first.",
    "login_required": "There is no login that could be renewed. Log in.",
    "refused": "The authorization server does not renew this login. Log in again.",
    "client_refused": "The authorization server does not accept this program. Check "
    "upstream.client_id in the configuration.",
    "dns": "The server's name is not known (DNS). Check the network and the "
    "configuration.",
    "tls": "There is no secure connection to the server (TLS): its certificate is not "
    "trusted, or something stands in between.",
    "unreachable": "The server cannot be reached. Check the network and try again.",
    "timeout": "The server did not answer in time. Try again later.",
    "bad_answer": "The server's answer is of no use. Try again later.",
    "upstream": "The partner API cannot be reached or does not answer as it should.",
    "store": "The tokens cannot be read or saved in {store}. Check the owner, the mode "
    "and the free space there.",
    "store_busy": "Another program holds {store}. End it and try again.",
    "store_other": "The tokens cannot be read or saved.",
    "server_says": "The server says:",
    "title_password": "Password",
    "lead_password": "This page needs the password in admin.password_file.",
    "password": "Password",
    "unlock": "Continue",
    "lock": "Lock this page",
    "password_wrong": "The password is wrong.",
    "password_wait": "Too many wrong passwords. Wait a minute and try again.",
    "offline": "The proxy does not answer. It may have been stopped. This page looks "
    "again every few seconds.",
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
    "code_waits": "Код уже отправлен на номер {phone}.",
    "enter_code": "Введите код",
    "sandbox": "Это песочница: API за ней ненастоящий. СМС не отправляются, коды "
    "печатаются в терминале, где запущена песочница.",
    "lead_code": "СМС с кодом отправлено на номер {phone}.",
    "code": "Код из СМС",
    "log_in": "Войти",
    "send_again": "Отправить новый код",
    "lead_spent": "Слишком много неверных кодов. Код, отправленный на номер {phone}, "
    "больше не подойдёт.",
    "title_spent": "Запросите новый код",
    "possible_from": "можно с",
    "possible_in": "можно через",
    "seconds": "с",
    "minutes": "мин",
    "other_phone": "Другой номер",
    "ready": "Можно отправлять запросы",
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
    "done_login": "Код подошёл. Программы уже могут работать.",
    "done_refresh": "Вход обновлён.",
    "done_logout": "Вы вышли. Токены здесь удалены.",
    "phone_letters": "В номере телефона не бывает букв.",
    "phone_empty": "Номер телефона не указан.",
    "phone_short": "Номер телефона слишком короткий.",
    "phone_long": "Номер телефона слишком длинный.",
    "phone_wrong": "Это не номер телефона.",
    "phone_how": "Введите его с кодом страны, например +7 916 123-45-67.",
    "number_refused": "API не отправляет СМС на этот номер. Проверьте номер.",
    "cooldown": "Новое СМС запрашивать рано. Попробуйте через {wait}.",
    "too_many": "Слишком много СМС за короткое время. Подождите и попробуйте снова.",
    "sms_failed": "API не подтвердил отправку СМС.",
    "sms_unsure": "Возможно, СМС всё же придёт.",
    "no_sms": "СМС не отправлено.",
    "type_code": "Введите код из СМС, например 7654.",
    "wrong_code": "Код неверный. Проверьте его и попробуйте ещё раз.",
    "code_refused": "Сервер авторизации не принял код.",
    "codes_left": "Осталось попыток: {left}.",
    "codes_spent": "Слишком много неверных кодов. Запросите новый.",
    "no_code_yet": "Сначала запросите код.",
    "login_required": "Нет входа, который можно продлить. Войдите.",
    "refused": "Сервер авторизации не продлевает этот вход. Войдите снова.",
    "client_refused": "Сервер авторизации не принимает эту программу. Проверьте "
    "upstream.client_id в настройках.",
    "dns": "Имя сервера не найдено (DNS). Проверьте сеть и настройки.",
    "tls": "Не удалось установить защищённое соединение (TLS): нет доверия к "
    "сертификату сервера, или кто-то стоит посередине.",
    "unreachable": "Нет связи с сервером. Проверьте сеть и попробуйте ещё раз.",
    "timeout": "Сервер не ответил вовремя. Попробуйте позже.",
    "bad_answer": "Сервер ответил непонятно. Попробуйте позже.",
    "upstream": "API недоступен или отвечает не так, как должен.",
    "store": "Не удаётся прочитать или сохранить токены в {store}. Проверьте "
    "владельца, права и свободное место.",
    "store_busy": "{store} занят другой программой. Завершите её и попробуйте снова.",
    "store_other": "Не удаётся прочитать или сохранить токены.",
    "server_says": "Ответ сервера:",
    "title_password": "Пароль",
    "lead_password": "Для этой страницы нужен пароль из файла admin.password_file.",
    "password": "Пароль",
    "unlock": "Продолжить",
    "lock": "Закрыть эту страницу паролем",
    "password_wrong": "Пароль неверный.",
    "password_wait": "Слишком много неверных паролей. Подождите минуту и попробуйте "
    "снова.",
    "offline": "Прокси не отвечает. Возможно, он остановлен. Страница проверяет связь "
    "каждые несколько секунд.",
    "csrf": "Страница устарела. Попробуйте ещё раз.",
    "other": "Не получилось.",
}


# In the sandbox nobody may wait for an SMS: these stand in for the texts above.
_SANDBOX: Mapping[str, Texts] = {
    "en": {
        "lead_phone": "A code will be printed in the terminal where the sandbox runs. "
        "Any number will do.",
        "lead_phone_again": "The earlier login has ended and cannot be renewed. A new "
        "code will be printed in the terminal where the sandbox runs.",
        "lead_code": "The code for {phone} is printed in the terminal where the "
        "sandbox runs.",
        "code_waits": "A code for {phone} was already printed in the terminal.",
        "code": "Code from the terminal",
        "type_code": "Type the code from the terminal.",
        "done_code": "The code is in the terminal.",
    },
    "ru": {
        "lead_phone": "Код появится в терминале, где запущена песочница. Подойдёт "
        "любой номер.",
        "lead_phone_again": "Прежний вход закончился, продлить его нельзя. Новый код "
        "появится в терминале, где запущена песочница.",
        "lead_code": "Код для номера {phone} — в терминале, где запущена песочница.",
        "code_waits": "Код для номера {phone} уже есть в терминале.",
        "code": "Код из терминала",
        "type_code": "Введите код из терминала.",
        "done_code": "Код — в терминале.",
    },
}


def texts_for(accept_language: str, *, sandbox: bool = False) -> Texts:
    """Return the texts in the language that `Accept-Language` likes best."""
    best, best_weight = ENGLISH, 0.0
    for item in accept_language.lower().split(",")[:20]:
        tag, _, parameters = item.partition(";")
        texts = {"en": ENGLISH, "ru": RUSSIAN}.get(tag.strip().partition("-")[0])
        weight = _weight(parameters)
        if texts is not None and weight > best_weight:
            best, best_weight = texts, weight
    return {**best, **_SANDBOX[best["lang"]]} if sandbox else best


def duration(seconds: int, texts: Texts) -> str:
    """Return `seconds` as people say it: in minutes when there are many."""
    if seconds < 120:
        return f"{seconds}{_NO_BREAK}{texts['seconds']}"
    return f"{math.ceil(seconds / 60)}{_NO_BREAK}{texts['minutes']}"


def _weight(parameters: str) -> float:
    name, _, number = parameters.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(number)
    except ValueError:
        return 0.0
