"""What a sandbox says instead: there nobody may wait for an SMS."""

from collections.abc import Mapping

from proxy.admin.texts.login import Texts

BY_LANGUAGE: Mapping[str, Texts] = {
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
