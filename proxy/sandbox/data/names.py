"""Russian names that agree in gender."""

import random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_MALE_NAMES = _words("""
    Александр Алексей Андрей Артём Борис Вадим Виктор Владимир Геннадий Дмитрий
    Евгений Игорь Илья Кирилл Константин Максим Михаил Николай Олег Павел Роман
    Сергей Станислав Тимур Фёдор Юрий
""")
_FEMALE_NAMES = _words("""
    Алла Анастасия Анна Валентина Вера Галина Дарья Екатерина Елена Жанна Зоя
    Инна Ирина Ксения Лариса Людмила Марина Мария Надежда Наталья Оксана Ольга
    Полина Светлана Татьяна Юлия
""")
# All of them take -а for a woman.
_SURNAMES = _words("""
    Абрамов Алексеев Андреев Баранов Белов Богданов Борисов Виноградов Волков
    Воробьёв Гаврилов Голубев Григорьев Громов Давыдов Данилов Дмитриев Егоров
    Ершов Жуков Зайцев Захаров Иванов Ильин Калинин Киселёв Козлов Комаров
    Королёв Крылов Кузнецов Кузьмин Лебедев Макаров Медведев Миронов Морозов
    Никитин Новиков Орлов Осипов Павлов Петров Поляков Попов Романов Семёнов
    Сергеев Смирнов Соколов Соловьёв Сорокин Степанов Тарасов Титов Фёдоров
    Филиппов Фомин Чернов Щербаков Яковлев
""")
# Stems that take -вич or -вна.
_PATRONYMICS = _words("""
    Александро Алексее Андрее Борисо Викторо Владимиро Дмитрие Евгенье Ивано
    Михайло Николае Олего Павло Петро Сергее Юрье
""")

FullName = tuple[str, str, str]
"""Surname, first name, patronymic."""


def full_name(source: random.Random, *, female: bool) -> FullName:
    """Return a name drawn from `source`."""
    surname = source.choice(_SURNAMES) + ("а" if female else "")
    first = source.choice(_FEMALE_NAMES if female else _MALE_NAMES)
    patronymic = source.choice(_PATRONYMICS) + ("вна" if female else "вич")
    return surname, first, patronymic
