"""The page, used as a browser without JavaScript uses it."""

import re
from contextlib import AsyncExitStack
from html.parser import HTMLParser
from pathlib import Path

import pytest

import proxy.admin
from proxy.admin.texts import (
    ENGLISH,
    RUSSIAN,
    Texts,
    reason_texts,
    request_texts,
    script_texts,
    texts_for,
)
from proxy.journal.entry import STAGES
from proxy.journal.explain import SENTENCES
from proxy.journal.filters import LONGEST
from tests.admin.conftest import PHONE, SAME_ORIGIN, Admin, open_admin

FILES = sorted(Path(proxy.admin.__file__).with_name("static").iterdir())
MODULES = [path for path in FILES if path.suffix == ".js"]
SCRIPTS = "".join(path.read_text("utf-8") for path in MODULES)
STYLES = "".join(path.read_text("utf-8") for path in FILES if path.suffix == ".css")
TEMPLATES = Path(proxy.admin.__file__).with_name("templates")


class Document(HTMLParser):
    """The forms that are sent, the links and the outside references of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.forms: dict[str, dict[str, str]] = {}
        self.labelled: set[str] = set()
        self.inputs: list[dict[str, str | None]] = []
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self.open_tags: list[str] = []
        self._form: str | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.inline += [name for name in found if name.startswith("on")]
        if tag == "style" or "style" in found:
            self.inline.append("style")
        if tag == "script" and "src" not in found:
            self.inline.append("script")
        self.addresses += [
            found[name] or "" for name in ("src", "href", "action") if name in found
        ]
        if tag == "form":
            self._form = found.get("action")
            if self._form is not None:
                self.forms[self._form] = {}
        if tag == "input" and self._form is not None:
            self.forms[self._form][found["name"] or ""] = found.get("value") or ""
            self.inputs.append(found)
        if tag == "label":
            self.labelled.add(found.get("for") or "")
        if tag not in ("meta", "link", "img", "input"):
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag
        if tag == "form":
            self._form = None  # fields outside forms are the scripts'


async def page(admin: Admin, path: str = "/", language: str = "en") -> Document:
    answer = await admin.get(path, **{"Accept-Language": language})
    assert answer.status == 200
    assert answer.content_type == "text/html"
    return Document(await answer.text())


async def submit(
    admin: Admin, shown: Document, action: str, language: str = "en", **typed: str
) -> Document:
    """Send a form as it stands on the page, and follow the redirect."""
    data = {**shown.forms[action], **typed}
    assert set(typed) <= set(shown.forms[action])
    answer = await admin.send("POST", action, SAME_ORIGIN, data=data)
    assert answer.status == 303
    assert answer.headers["Location"] == "/"
    return await page(admin, answer.headers["Location"], language)


def badge(shown: Document) -> str:
    found = re.search(r'<p class="badge[^>]*>([^<]*)</p>', shown.text)
    assert found is not None
    return found[1]


def body_text(shown: Document) -> str:
    """Return what a reader sees."""
    visible = re.sub(r"<[^>]*hidden>[^<]*<", "<", shown.text.partition("<body")[2])
    return " ".join(re.sub(r"<[^>]*>", " ", visible.partition(">")[2]).split())


async def test_a_login_without_javascript(admin: Admin) -> None:
    shown = await page(admin)
    assert 'data-state="logged_out"' in shown.text

    shown = await submit(admin, shown, "/login/code", phone="8 (916) 123-45-67")
    assert "The code is on its way." in shown.text
    assert f'sent to <span class="number">{PHONE}</span>.' in shown.text

    shown = await submit(admin, shown, "/login/token", validation_code=admin.code)
    assert 'data-state="active"' in shown.text
    assert "+7******4567" in shown.text
    assert PHONE not in shown.text
    assert "curl http://127.0.0.1:8080/api/v1/profile/get" in shown.text
    assert "2027-01-29 07:59 UTC" in shown.text

    shown = await submit(admin, shown, "/refresh")
    assert "The login was refreshed." in shown.text

    shown = await submit(admin, shown, "/logout")
    assert "You are logged out." in shown.text
    assert 'data-state="logged_out"' in shown.text


async def test_a_wrong_code_can_be_mended_on_the_page(admin: Admin) -> None:
    shown = await submit(admin, await page(admin), "/login/code", phone=PHONE)
    wrong = f"{(int(admin.code) + 1) % 10_000:04d}"

    shown = await submit(admin, shown, "/login/token", validation_code=wrong)

    assert (
        "The code is wrong or too old. Check it, or ask for a new one. Tries left: 4."
        in shown.text
    )
    assert "user name" not in shown.text
    assert 'class="message message-error" role="alert"' in shown.text
    shown = await submit(admin, shown, "/login/token", validation_code=admin.code)
    assert 'data-state="active"' in shown.text


async def test_after_too_many_wrong_codes_a_new_one_is_needed(admin: Admin) -> None:
    shown = await submit(admin, await page(admin), "/login/code", phone=PHONE)
    for _ in range(5):
        shown = await submit(admin, shown, "/login/token", validation_code="no")

    assert "Too many wrong codes. Ask for a new one." in shown.text
    assert "try again" not in shown.text
    assert "/login/token" not in shown.forms
    assert badge(shown) == "Not logged in"
    admin.time.now += 60
    shown = await submit(admin, shown, "/login/code")
    shown = await submit(admin, shown, "/login/token", validation_code=admin.code)
    assert 'data-state="active"' in shown.text


async def test_a_code_tried_once_too_often_for_a_typed_phone(admin: Admin) -> None:
    typed = {"phone": PHONE, "validation_code": "no"}
    shown = await page(admin)
    for _ in range(6):
        shown = await submit(admin, shown, "/login/token", **typed)

    assert "Too many wrong codes. Ask for a new one." in shown.text
    assert "try again" not in shown.text


async def test_a_wrong_phone_stays_in_the_field(admin: Admin) -> None:
    typed = '+7 "916" <b>'

    shown = await submit(admin, await page(admin), "/login/code", phone=typed)

    assert "This is not a phone number." not in shown.text
    assert "A phone number has no letters. Type it with its country code" in shown.text
    assert shown.forms["/login/code"]["phone"] == typed
    assert "<b>" not in shown.text


async def test_a_new_code_goes_to_the_same_phone(admin: Admin) -> None:
    shown = await submit(admin, await page(admin), "/login/code", phone=PHONE)

    shown = await submit(admin, shown, "/login/code")
    assert "too soon for another SMS. Try again in 60\xa0s." in shown.text
    assert 'data-wait="60"' in shown.text
    admin.time.now += 60
    shown = await submit(admin, shown, "/login/code")

    assert "The code is on its way." in shown.text
    assert [sms.phone for sms in admin.sandbox.sms] == ["79161234567"] * 2


async def test_another_number_can_be_used(admin: Admin) -> None:
    shown = await submit(admin, await page(admin), "/login/code", phone=PHONE)
    assert "/?step=phone" in shown.addresses

    shown = await page(admin, "/?step=phone")
    admin.time.now += 60
    await submit(admin, shown, "/login/code", phone="+1 111 111 11 11")

    assert admin.sandbox.sms[-1].phone == "11111111111"


async def test_a_code_that_waits_is_named_beside_the_phone_form(admin: Admin) -> None:
    await submit(admin, await page(admin), "/login/code", phone=PHONE)

    shown = await page(admin, "/?step=phone")

    assert badge(shown) == "Not logged in"
    assert f"A code was already sent to {PHONE} ." in body_text(shown)
    assert '<a href="/">Enter the code</a>' in shown.text
    shown = await page(admin, "/")
    assert badge(shown) == "Code sent"
    assert "/login/token" in shown.forms


async def test_a_second_sms_to_the_same_typed_phone_leads_to_the_code(
    admin: Admin,
) -> None:
    await submit(admin, await page(admin), "/login/code", phone=PHONE)

    other = await page(admin, "/?step=phone")
    shown = await submit(admin, other, "/login/code", phone=PHONE)

    assert "too soon for another SMS" in shown.text
    assert badge(shown) == "Code sent"
    assert "validation_code" in shown.forms["/login/token"]


async def test_without_javascript_the_wait_is_a_time_and_not_a_countdown(
    admin: Admin,
) -> None:
    shown = await submit(admin, await page(admin), "/login/code", phone=PHONE)

    assert "possible from 08:01:00 UTC" in body_text(shown)
    assert 'class="quiet waiting"' in shown.text
    assert " disabled" not in shown.text
    admin.time.now += 60
    shown = await page(admin)
    assert "possible" not in body_text(shown)
    assert "waiting" not in shown.text


async def test_that_somebody_is_logged_in_is_said_once(admin: Admin) -> None:
    shown = await submit(admin, await page(admin), "/login/code", phone=PHONE)
    shown = await submit(admin, shown, "/login/token", validation_code=admin.code)

    assert body_text(shown).lower().count("logged in") == 1
    shown = await page(admin, language="ru")
    assert body_text(shown).count("Вход выполнен") == 1


async def test_a_refresh_is_not_the_main_thing_to_do(admin: Admin) -> None:
    await admin.log_in()
    assert (
        '<button type="submit" class="quiet">Refresh now<' in (await page(admin)).text
    )


@pytest.mark.parametrize(
    ("language", "told", "lead"),
    [
        ("en", "This is a sandbox:", "A code will be printed in the terminal"),
        ("ru", "Это песочница:", "Код появится в терминале"),
    ],
)
async def test_a_sandbox_says_that_no_sms_is_sent(
    tmp_path: Path, language: str, told: str, lead: str
) -> None:
    async with AsyncExitStack() as stack:
        admin = await open_admin(stack, tmp_path, is_sandbox=True)

        shown = await page(admin, language=language)
        assert f'<p class="notice" role="note">{told}' in shown.text
        assert lead in shown.text
        shown = await submit(admin, shown, "/login/code", language, phone=PHONE)

        text = body_text(shown).replace(texts_for(language)["sandbox"], "")
        assert re.findall("SMS|СМС", text) == []


async def test_only_a_sandbox_says_that_it_is_one(admin: Admin) -> None:
    assert ENGLISH["sandbox"] not in (await page(admin)).text


async def test_the_script_finds_what_it_shows(admin: Admin) -> None:
    for language in ("en", "ru"):
        shown = await page(admin, language=language)
        offline = texts_for(language)["offline"]
        assert f'id="offline" role="alert" hidden>{offline}</p>' in shown.text


async def test_a_store_that_cannot_be_written_is_told_in_russian(
    admin: Admin,
) -> None:
    (admin.folder / "state").write_text("a file where the folder should be")

    shown = await submit(admin, await page(admin), "/login/code", "ru", phone=PHONE)

    assert "Не удаётся прочитать или сохранить токены в file:/" in shown.text
    assert "СМС не отправлено." in shown.text
    assert 'class="detail"' not in shown.text
    assert admin.sandbox.sms == []


@pytest.mark.parametrize(
    ("fault", "is_quoted"), [("json500", True), ("html500", False)]
)
async def test_a_server_that_sends_no_sms_is_quoted(
    admin: Admin, fault: str, is_quoted: bool
) -> None:
    admin.sandbox.switches.set({"sms_fault": fault, "sms_fault_count": 1})

    shown = await submit(admin, await page(admin), "/login/code", "ru", phone=PHONE)

    assert "API не подтвердил отправку СМС. Возможно, СМС всё же придёт." in shown.text
    assert ("Ответ сервера:" in shown.text) == is_quoted
    assert "&lt;" not in shown.text


async def test_a_code_that_is_there_already_needs_no_sms(admin: Admin) -> None:
    admin.sandbox._sms.send("7", "9161234567")
    typed = {"phone": PHONE, "validation_code": admin.code}

    shown = await submit(admin, await page(admin), "/login/token", **typed)

    assert 'data-state="active"' in shown.text
    assert len(admin.sandbox.sms) == 1


async def test_a_known_code_that_is_wrong_leaves_its_form_open(admin: Admin) -> None:
    admin.sandbox._sms.send("7", "9161234567")
    typed = {"phone": PHONE, "validation_code": "wrong"}

    shown = await submit(admin, await page(admin), "/login/token", **typed)

    assert "The code is wrong or too old." in shown.text
    assert "<details open>" in shown.text
    assert shown.forms["/login/token"] == {
        **shown.forms["/login/token"],
        "phone": PHONE,
        "validation_code": "",
    }


async def test_a_dead_login_says_so(admin: Admin) -> None:
    await admin.log_in()
    admin.sandbox.revoke_refresh()

    shown = await submit(admin, await page(admin), "/refresh")

    assert 'class="message message-error"' in shown.text
    admin.time.now += 1_300_000
    shown = await page(admin)
    assert 'data-state="login_required"' in shown.text
    assert "Log in again" in shown.text


async def test_a_login_that_cannot_be_renewed_can_be_replaced(admin: Admin) -> None:
    await admin.log_in()
    admin.sandbox.revoke_refresh()
    await admin.post("/api/refresh")

    shown = await page(admin)

    assert 'data-state="active"' in shown.text
    assert "cannot be renewed" in shown.text
    again = await page(admin, "/?step=phone")
    assert {"/login/code", "/refresh", "/logout"} <= set(again.forms)


async def test_an_upstream_that_is_down_is_told_on_the_page(admin: Admin) -> None:
    await admin.sandbox.api_listener.stop()

    shown = await submit(admin, await page(admin), "/login/code", phone=PHONE)

    assert "The server cannot be reached." in shown.text
    assert "No SMS was sent." in shown.text
    assert shown.forms["/login/code"]["phone"] == PHONE


async def test_a_message_is_shown_once_and_not_for_long(admin: Admin) -> None:
    await admin.log_in()
    await submit(admin, await page(admin), "/logout")
    assert "You are logged out." not in (await page(admin)).text

    shown = await page(admin)
    await admin.send("POST", "/logout", SAME_ORIGIN, data=shown.forms["/login/code"])
    admin.time.now += 61
    assert "You are logged out." not in (await page(admin)).text


async def test_a_page_from_before_a_restart_does_nothing(admin: Admin) -> None:
    data = {"csrf": "of another process", "phone": PHONE}

    answer = await admin.send("POST", "/login/code", SAME_ORIGIN, data=data)

    assert answer.status == 403
    shown = Document(await answer.text())
    await submit(admin, shown, "/login/code", phone=PHONE)
    assert len(admin.sandbox.sms) == 1


async def test_the_page_lets_forms_say_where_they_come_from(admin: Admin) -> None:
    # Under no-referrer a form's Origin is null, which the guard refuses.
    assert (await admin.get("/")).headers["Referrer-Policy"] == "same-origin"
    answer = await admin.get("/api/status")
    assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_russian_for_those_who_read_it(admin: Admin) -> None:
    shown = await page(admin, language="ru-RU,ru;q=0.9,en;q=0.8")
    assert '<html lang="ru">' in shown.text
    assert ">Отправить код<" in shown.text

    shown = await submit(admin, shown, "/login/code", "ru", phone="нет")
    assert "В номере телефона не бывает букв." in shown.text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ru", "ru"),
        ("RU-ru", "ru"),
        ("de, ru;q=0.5, en;q=0.3", "ru"),
        ("en, ru", "en"),
        ("ru;q=0, en;q=0.1", "en"),
        ("ru;q=nonsense", "en"),
        ("ru;q=nan", "en"),
        ("*", "en"),
        ("rue", "en"),
    ],
)
def test_the_language_is_the_best_of_ours(accepted: str, language: str) -> None:
    assert texts_for(accepted)["lang"] == language


@pytest.mark.parametrize(
    ("english", "russian"),
    [
        (ENGLISH, RUSSIAN),
        (request_texts("en"), request_texts("ru")),
        (script_texts("en"), script_texts("ru")),
    ],
    ids=["login", "requests", "script"],
)
def test_both_languages_say_the_same_things(english: Texts, russian: Texts) -> None:
    assert places(english) == places(russian)


def places(texts: Texts) -> dict[str, set[tuple[str, ...]]]:
    """Return the `{places}` of each text; the forms of a plural count as one text."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for key, text in texts.items():
        stem = re.sub("_(one|few|many|other)$", "", key)
        key = stem if f"{stem}_one" in texts else key
        found.setdefault(key, set()).add(tuple(re.findall(r"\{\w+\}", text)))
    return found


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_part_of_the_time_has_a_name(language: str) -> None:
    keys = [key for key in script_texts(language) if key.startswith("stage_")]

    assert keys == [f"stage_{stage}" for stage in STAGES]


def test_every_part_of_the_time_has_a_colour() -> None:
    rules = re.findall(r"^\.stage-(\w+) \{\n  background: (#\w{6});", STYLES, re.M)

    assert {stage for stage, _ in rules} == set(STAGES)
    assert len({color for _, color in rules}) == len(STAGES)


def test_what_the_requests_say_stands_somewhere() -> None:
    filled = "".join(path.read_text("utf-8") for path in TEMPLATES.iterdir())
    by_name = {key for key in request_texts("en") if key.startswith(("filter_", "ex"))}

    named = set(re.findall(r"\$t_(\w+)", filled)) | by_name
    assert set(request_texts("en")) - named == set()


async def test_a_filter_may_be_as_long_as_the_api_takes(admin: Admin) -> None:
    shown = await page(admin)

    (limit,) = re.findall(r'id="filter"[^>]* maxlength="(\d+)"', shown.text)
    assert int(limit) == LONGEST


async def states(admin: Admin) -> list[Document]:
    """Return the page in all its states."""
    shown = [await page(admin)]
    shown.append(await submit(admin, shown[0], "/login/code", phone=PHONE))
    code = admin.code
    shown.append(await submit(admin, shown[1], "/login/token", validation_code="no"))
    shown.append(await submit(admin, shown[2], "/login/token", validation_code=code))
    admin.sandbox.revoke_refresh()
    shown.append(await submit(admin, shown[3], "/refresh"))
    return shown


async def test_nothing_is_inline_and_nothing_comes_from_outside(admin: Admin) -> None:
    for shown in await states(admin):
        assert shown.inline == []
        assert shown.open_tags == []
        assert all(re.match(r"/(?!/)", address) for address in shown.addresses)


async def test_every_field_has_a_label_and_a_keyboard(admin: Admin) -> None:
    for shown in await states(admin):
        visible = [found for found in shown.inputs if found.get("type") != "hidden"]
        assert {found["id"] or "" for found in visible} <= shown.labelled
        for found in visible:
            is_code = found["name"] == "validation_code"
            assert found["inputmode"] == ("numeric" if is_code else "tel")
            assert found["autocomplete"] == ("one-time-code" if is_code else "tel")


async def test_every_reference_of_the_page_is_there(admin: Admin) -> None:
    shown = await page(admin)
    files = [address for address in shown.addresses if address.startswith("/static/")]
    for address in files:
        answer = await admin.get(address)
        assert answer.status == 200
    assert {address.rpartition(".")[2] for address in files} == {"css", "js", "svg"}


async def test_every_module_of_the_scripts_is_there(admin: Admin) -> None:
    imported = set(re.findall(r' from "\./([^"]*)"', SCRIPTS))

    assert imported | {"page.js", "requests.js"} == {path.name for path in MODULES}
    for name in imported:
        answer = await admin.get(f"/static/{name}")
        assert (answer.status, answer.content_type) == (200, "text/javascript")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_styles_and_scripts_call_nobody_and_write_no_html(path: Path) -> None:
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")

    banned = r"https?:|@import|url\(|\beval\b|HTML\b|document\.write|new Function"
    assert re.findall(banned, text) == []


async def test_scripts_find_what_they_look_for(admin: Admin) -> None:
    wanted = set(re.findall(r'(?:find|openDialog|querySelector)\("#([\w-]+)', SCRIPTS))
    shown = await page(admin)

    assert len(wanted) > 30
    assert wanted - set(re.findall(r' id="([^"]*)"', shown.text)) == set()


def test_scripts_say_what_there_are_texts_for() -> None:
    said = set(re.findall(r'\bt\(\s*"(\w+)"', SCRIPTS))
    named = set(re.findall(r'"(\w+)"', SCRIPTS))
    made = re.compile(r"(about|stage|count)_\w+")

    texts = set(script_texts("en"))
    assert said - texts == set()
    assert {key for key in texts - named if not made.fullmatch(key)} == set()


async def test_without_scripts_the_requests_say_what_they_need(admin: Admin) -> None:
    shown = await page(admin, language="ru")

    assert f"<noscript><p>{request_texts('ru')['no_script']}</p>" in shown.text
    assert '<div id="live" hidden>' in shown.text


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("127.0.0.1:8080", "curl http://127.0.0.1:8080/api"),
        ("http://127.0.0.1:8080", "curl http://127.0.0.1:8080/api"),
        ("0.0.0.0:80", "curl http://127.0.0.1:80/api"),
        ("[::]:80", "curl http://[::1]:80/api"),
        ("[::1]:80", "curl http://[::1]:80/api"),
        ("https://0.0.0.0:80", "curl https://127.0.0.1:80/api"),
        ("unix:/run/a b.sock", "curl --unix-socket &#x27;/run/a b.sock&#x27; http://"),
    ],
)
async def test_the_example_can_be_pasted(admin: Admin, address: str, line: str) -> None:
    admin.listen = lambda: [address]
    assert line in (await page(admin)).text


async def test_what_is_shown_is_escaped(admin: Admin) -> None:
    admin.listen = lambda: ["unix:/run/<script>alert(1)</script>"]
    shown = await page(admin)
    assert "<script>alert" not in shown.text
    assert "&lt;script&gt;" in shown.text


async def test_a_form_with_very_many_fields_is_refused(admin: Admin) -> None:
    data = "&".join(f"a{number}=1" for number in range(100))
    fields = {**SAME_ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}

    answer = await admin.send("POST", "/logout", fields, data=data.encode())

    assert answer.status == 400


async def test_bytes_that_are_not_text_do_no_harm(admin: Admin) -> None:
    shown = await page(admin)
    csrf = shown.forms["/login/code"]["csrf"]
    fields = {
        **SAME_ORIGIN,
        "Content-Type": "application/x-www-form-urlencoded; charset=nonsense",
    }
    content = f"csrf={csrf}&phone=%ff%00".encode() + b"\xff"

    answer = await admin.send("POST", "/login/code", fields, data=content)

    assert answer.status == 303
    assert admin.sandbox.sms == []


def test_each_reason_is_said_in_russian() -> None:
    assert reason_texts("ru").keys() == {
        *SENTENCES,
        "left_early",
        "left_late",
        "unsure",
    }
    assert reason_texts("en") == {}
