"""A browser's visit to the page of a running proxy, and all that went wrong in it."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    expect,
)

from proxy.admin.texts import Texts, texts_for
from tests.page.axe import complaints
from tests.running import Proxy, call

PHONE = "+7 916 123-45-67"
MASKED = "+7******4567"

# The console tells it, too, but only in words that are the browser's own.
_TELL_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"""

# Less what scrolls by itself, what shows an ellipsis, and what only screen readers get.
_TOO_WIDE = """() => {
  const isOwn = (each) => {
    const style = getComputedStyle(each);
    return /auto|scroll/.test(style.overflowX) || style.textOverflow === "ellipsis"
      || style.clipPath !== "none";
  };
  const isInOwn = (each) =>
    each !== null && (isOwn(each) || isInOwn(each.parentElement));
  return [...document.querySelectorAll("body, body *")]
    .filter((each) => each.checkVisibility()
      && each.getBoundingClientRect().right > innerWidth + 0.5 && !isInOwn(each))
    .map((each) => each.outerHTML.slice(0, 200));
}"""


@dataclass
class Visit:
    """One tab on the page of `proxy`.

    `faults` are errors on the console, violations of the page's policy, failed
    requests, error answers and calls to anybody else. A test that means to have one
    takes it out with `forgive`; at the end none may be left.
    """

    proxy: Proxy
    context: BrowserContext
    page: Page
    locale: str = "en-US"
    faults: list[str] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.add_init_script(_TELL_VIOLATIONS)
        self.context.on("console", self._on_console)
        self.context.on("weberror", lambda error: self.faults.append(str(error.error)))
        self.context.on("request", self._on_request)
        self.context.on("requestfailed", self._on_failure)
        self.context.on("response", self._on_response)

    @property
    def texts(self) -> Texts:
        """What the page says in this visit's language."""
        return texts_for(self.locale, sandbox=True)

    def open(self, path: str = "/") -> None:
        self.page.goto(self.proxy.admin + path)

    def forgive(self, *parts: str) -> None:
        """Take out the faults with one of `parts` in them; each has to be there."""
        for part in parts:
            found = [fault for fault in self.faults if part in fault]
            assert found, f"no {part!r} among {self.faults}"
            self.faults[:] = [fault for fault in self.faults if part not in fault]

    # -- what a person does --------------------------------------------------------

    def field(self, key: str) -> Locator:
        """Return the input that text `key` labels."""
        return self.page.get_by_label(self.texts[key], exact=True).first

    def button(self, key: str) -> Locator:
        return self.page.get_by_role("button", name=self.texts[key], exact=True).first

    def ask_for_code(self, phone: str = PHONE) -> None:
        self.field("phone").fill(phone)
        self.button("send_code").click()

    def hand_in(self, code: str) -> None:
        self.field("code").fill(code)
        self.button("log_in").click()

    def log_in(self) -> None:
        self.open()
        self.ask_for_code()
        self.expect_badge("code_sent")
        self.hand_in(self.sent_code())
        self.expect_badge("active")

    def tab_to(self, wanted: Locator) -> None:
        """Press Tab until `wanted` has the focus."""
        for _ in range(100):
            if wanted.evaluate("(each) => each === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {wanted}")

    # -- what the sandbox knows ----------------------------------------------------

    def sent_code(self) -> str:
        """Return the validation code of the last SMS."""
        return str(self.control("GET", "/sms")["items"][-1]["code"])

    def switch(self, **switches: object) -> None:
        self.control("PATCH", "/switches", switches)

    def received(self) -> list[dict[str, Any]]:
        """Return the requests that came to the sandbox's API."""
        items: list[dict[str, Any]] = self.control("GET", "/requests")["items"]
        return items

    def control(self, method: str, path: str, content: object = None) -> Any:
        answer = call(method, self.proxy.control + path, json=content)
        assert answer.ok, answer.text
        return answer.json()

    # -- what is seen --------------------------------------------------------------

    def expect_badge(self, state: str) -> None:
        expect(self.page.locator(".badge")).to_have_text(self.texts[f"badge_{state}"])

    def expect_message(
        self, *keys: str, role: str = "alert", **members: object
    ) -> None:
        """Expect the sentences `keys` where a screen reader reads them out."""
        message = self.page.locator(f".message[role={role}]:visible")
        for key in keys:
            expect(message).to_contain_text(self.texts[key].format(**members))

    def expect_accessible(self) -> None:
        self._settle()
        assert complaints(self.page) == []

    def expect_narrow(self) -> None:
        """Expect that nothing is cut off and nothing has to be scrolled to."""
        self._settle()
        assert self.page.evaluate(_TOO_WIDE) == []
        wide = "document.documentElement.scrollWidth <= innerWidth"
        assert self.page.evaluate(wide)

    def _settle(self) -> None:
        # Before its styles and scripts are there, a page may look like anything.
        self.page.wait_for_load_state("load")

    # -- what goes wrong -----------------------------------------------------------

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"console {message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        url = urlsplit(request.url.removeprefix("blob:"))
        if f"{url.scheme}://{url.netloc}" != self.proxy.admin:
            self.faults.append(f"outside: {request.url}")

    def _on_failure(self, request: Request) -> None:
        # A page that is left, or a download, ends what was under way.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"failed: {request.url} {request.failure}")

    def _on_response(self, response: Response) -> None:
        self.answers.append(response)
        if response.status >= 400:
            self.faults.append(f"answer: {response.status} {response.url}")
