# ruff: noqa: E402  Django's modules want its settings first
"""Django OAuth Toolkit as an authorization server, and a small API behind it.

Run as a program: `python authorization_server.py FOLDER CLIENT_ID LIFETIME`. It keeps
its database in FOLDER and prints its address. Refresh tokens are single use. In place
of an SMS, the validation code becomes the user's password and is printed.
"""

import secrets
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings

FOLDER, CLIENT_ID, LIFETIME = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": FOLDER / "authorization.sqlite3",
            "OPTIONS": {"timeout": 20},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "oauth2_provider",
    ],
    OAUTH2_PROVIDER={
        "ACCESS_TOKEN_EXPIRE_SECONDS": LIFETIME,
        "ROTATE_REFRESH_TOKEN": True,
        "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
        # The grant is discouraged, which is not ours to change.
        "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": False,
    },
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_hex(),
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from oauth2_provider.models import Application
from oauth2_provider.oauth2_backends import (
    get_oauthlib_core,
)
from oauth2_provider.views import (
    RevokeTokenView,
    TokenView,
)


def send_validation_code(request: HttpRequest) -> JsonResponse:
    username = request.GET["code"] + request.GET["number"]
    user, _ = User.objects.get_or_create(username=username)
    code = f"{secrets.randbelow(10000):04}"
    user.set_password(code)
    user.save()
    print(f"SMS to +{username}: {code}", flush=True)
    return JsonResponse({})


def profile(request: HttpRequest) -> JsonResponse:
    valid, grant = get_oauthlib_core().verify_request(request, scopes=[])
    if valid:
        return JsonResponse({"item": {"username": grant.user.username}})
    return JsonResponse(
        {"message": "Authorization has been denied for this request."},
        status=401,
        headers={"WWW-Authenticate": "Bearer"},
    )


urlpatterns = [
    path("token", TokenView.as_view()),
    path("revoke", RevokeTokenView.as_view()),
    path("api/v1/access/validation-code", send_validation_code),
    path("api/v1/profile/get", profile),
]


class ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    def log_message(self, template: str, *values: object) -> None:
        pass


def main() -> None:
    call_command("migrate", verbosity=0)
    Application.objects.get_or_create(
        client_id=CLIENT_ID,
        defaults={
            "client_type": Application.CLIENT_PUBLIC,
            "authorization_grant_type": Application.GRANT_PASSWORD,
        },
    )
    server = make_server(
        "127.0.0.1", 0, get_wsgi_application(), ThreadingServer, QuietHandler
    )
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
