"""The page as HTML, from the state of the login."""

import shlex

from proxy.admin.messages import Message
from proxy.admin.requests_half import requests_half
from proxy.admin.state import AdminInfo, TokenKeeper, codes_left
from proxy.admin.templates import Markup, escape, fill, join, sentence
from proxy.admin.texts import Texts
from proxy.clock import Clock, iso_utc
from proxy.config import Address
from proxy.oauth.status import TokenStatus

_EXAMPLE_PATH = "/api/v1/profile/get"


class View:
    """Writes the page; `csrf` is what its forms carry."""

    def __init__(
        self, refresher: TokenKeeper, info: AdminInfo, csrf: str, clock: Clock
    ) -> None:
        self._refresher = refresher
        self._info = info
        self._csrf = csrf
        self._clock = clock

    def html(
        self,
        texts: Texts,
        message: Message | None,
        *,
        other_phone: bool,
        lockable: bool = False,
    ) -> Markup:
        """Return the page; `other_phone` goes back to the first step.

        `lockable` shows how to end the session that the admin password began.
        """
        state = self._refresher.status()
        other_phone = other_phone or (message is not None and bool(message.typed))
        badge: str = state.state
        if badge == "code_sent" and (other_phone or not codes_left(self._refresher)):
            badge = "logged_out"  # no code is asked for on this page
        return fill(
            "layout",
            lang=texts["lang"],
            state=state.state,
            expires=iso_utc(state.expires_at) if state.expires_at else "",
            badge_kind=badge,
            badge=texts[f"badge_{badge}"],
            sandbox=fill("sandbox", text=texts["sandbox"])
            if self._info.sandbox
            else Markup(),
            message=_message(message, texts, state.store),
            steps=self._steps(state, texts, message, other_phone=other_phone),
            open=_open(state),
            calling=self._calling(state, texts),
            details=self._details(state, texts),
            requests=requests_half(texts["lang"], logged_in=state.state == "active"),
            version=self._info.version,
            lock=fill("lock", csrf=self._csrf, **_labels(texts, "lock"))
            if lockable
            else Markup(),
            **_labels(texts, "details", "offline"),
        )

    def _steps(
        self,
        state: TokenStatus,
        texts: Texts,
        message: Message | None,
        *,
        other_phone: bool,
    ) -> Markup:
        """Return what can be done now, the next step first."""
        active = state.state == "active"
        steps = []
        if state.code_sent and not other_phone:
            steps.append(self._code_step(state, texts))
        elif other_phone or not active:
            steps.append(self._phone_step(state, texts, message))
        if active:
            steps.append(self._active_step(state, texts))
        return join(steps)

    def _phone_step(
        self, state: TokenStatus, texts: Texts, message: Message | None
    ) -> Markup:
        again = "_again" if state.state == "login_required" else ""
        return fill(
            "phone",
            title=texts[f"title_phone{again}"],
            lead=texts[f"lead_phone{again}"],
            waits=self._waits(state, texts),
            typed=message.typed if message else "",
            open=Markup(" open" if message and message.code_known else ""),
            csrf=self._csrf,
            **_labels(texts, "phone", "send_code", "have_code", "code", "log_in"),
        )

    def _waits(self, state: TokenStatus, texts: Texts) -> Markup:
        """Return the way back to a code that was sent before."""
        phone = self._refresher.record.login.phone
        if not state.code_sent or phone is None or not codes_left(self._refresher):
            return Markup()
        told = _lead(texts["code_waits"], phone.display)
        return fill("waits", told=told, **_labels(texts, "enter_code"))

    def _code_step(self, state: TokenStatus, texts: Texts) -> Markup:
        phone = self._refresher.record.login.phone
        spent = not codes_left(self._refresher)
        lead = texts["lead_spent" if spent else "lead_code"]
        form = fill("code_form", csrf=self._csrf, **_labels(texts, "code", "log_in"))
        return fill(
            "code",
            title=texts["title_spent" if spent else "enter_code"],
            lead=_lead(lead, phone.display if phone else ""),
            form=Markup() if spent else form,
            kind="" if spent else "quiet",
            waiting="waiting" if state.retry_after else "",
            retry_after=str(state.retry_after),
            hint=self._hint(state.retry_after, texts),
            csrf=self._csrf,
            **_labels(texts, "send_again", "other_phone"),
        )

    def _hint(self, seconds: int, texts: Texts) -> Markup:
        """Return when the next SMS is possible, true for as long as it is shown."""
        if not seconds:
            return Markup()
        iso = iso_utc(self._clock() + seconds)
        return fill(
            "hint",
            time=fill("time", iso=iso, shown=f"{iso[11:19]} UTC"),
            **_labels(texts, "possible_from", "possible_in"),
        )

    def _active_step(self, state: TokenStatus, texts: Texts) -> Markup:
        ending = state.login_needed_by is not None
        return fill(
            "active",
            lead=_lead(
                texts["lead_active_ending" if ending else "lead_active"],
                state.phone or "",
            ),
            csrf=self._csrf,
            hidden=Markup("" if ending else " hidden"),
            **_labels(texts, "ready", "refresh", "log_out", "title_phone_again"),
        )

    def _calling(self, state: TokenStatus, texts: Texts) -> Markup:
        key = ' -H "X-Proxy-Key: $KEY"' if self._info.needs_local_key else ""
        lines = [
            fill("line", line=_curl(address) + key)
            for address in self._info.addresses()
        ]
        if not lines:
            return Markup()
        return fill(
            "calling",
            open=_open(state),
            lines=join(lines),
            **_labels(texts, "calling", "calling_lead"),
        )

    def _details(self, state: TokenStatus, texts: Texts) -> Markup:
        rows: dict[str, str | None] = {
            "phone": state.phone,
            "expires_at": _time(state.expires_at),
            "refresh_due_at": _time(state.refresh_due_at),
            "login_needed_by": _time(state.login_needed_by),
            "last_refresh": _time(state.last_refresh) or texts["never"],
            "last_error": _english(state.last_error) or texts["none"],
            "store": state.store,
            "listen": ", ".join(self._info.addresses()),
            "upstream": self._info.upstream,
        }
        return join(
            [
                fill("row", name=texts[f"row_{key}"], value=value)
                for key, value in rows.items()
                if value
            ]
        )


def _open(state: TokenStatus) -> Markup:
    """Return whether what there is to know is unfolded: not for who has to log in."""
    return Markup(" open" if state.state == "active" else "")


def _labels(texts: Texts, *names: str) -> dict[str, str]:
    return {f"t_{name}": texts[name] for name in names}


def _message(message: Message | None, texts: Texts, store: str) -> Markup:
    if message is None:
        return Markup()
    details = []
    if message.detail:
        text = _english(message.detail) or Markup()
        details.append(fill("message_detail", text=text))
    if message.quoted:
        text = Markup(f"{texts['server_says']} {escape(message.quoted)}")
        details.append(fill("message_detail", text=text))
    return fill(
        "message",
        kind="error" if message.failed else "done",
        role="alert" if message.failed else "status",
        text=message.text(texts, store=store),
        details=join(details),
    )


def _english(text: str | None) -> Markup | None:
    """Return `text` marked as English, which errors are written in."""
    return fill("english", text=text) if text else None


def _lead(text: str, phone: str) -> Markup:
    return sentence(text, phone=fill("number", number=phone))


def _time(instant: float | None) -> Markup | None:
    if instant is None:
        return None
    iso = iso_utc(instant)
    return fill("time", iso=iso, shown=f"{iso[:10]} {iso[11:16]} UTC")


def _curl(address: str) -> str:
    """Return the command line that calls the listener at `address`."""
    near = Address.parse(address).reachable
    if near.path is not None:
        socket = shlex.quote(str(near.path))
        return f"curl --unix-socket {socket} http://localhost{_EXAMPLE_PATH}"
    origin = str(near) if near.tls else f"http://{near}"
    return f"curl {origin}{_EXAMPLE_PATH}"
