"""Django with django-otp, on the same database with the same durability, and with the same hash."""
import json
import os
import sys
import time
import uuid

import django
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

DATABASE = {'ENGINE': 'django.db.backends.sqlite3', 'NAME': os.environ['DATABASE_FILE'], 'CONN_MAX_AGE': None}
settings.configure(
    SECRET_KEY='only for the benchmark, where nothing is secret',
    ALLOWED_HOSTS=['127.0.0.1'],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={'default': DATABASE},
    INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes', 'django_otp', 'django_otp.plugins.otp_totp'],
    MIDDLEWARE=['django.middleware.security.SecurityMiddleware', 'django.middleware.common.CommonMiddleware'],
    PASSWORD_HASHERS=[f'{__name__}.Argon2'],
)
django.setup()

from django.contrib.auth import authenticate, hashers, models
from django.core import management, signing, wsgi
from django.core.exceptions import BadRequest
from django.db.backends.signals import connection_created
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST
from django_otp import match_token, user_has_device
from django_otp.plugins.otp_totp.models import TOTPDevice

SIGNING_KEY = ec.generate_private_key(ec.SECP256R1())  # of the process that the workers are forked from
DURABLE = 'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL'
connection_created.connect(lambda connection, **_: connection.cursor().executescript(DURABLE), weak=False)
# What Django 5.1 has as transaction_mode: a transaction that reads first cannot wait for its turn to write.
DatabaseWrapper._start_transaction_under_autocommit = lambda self: self.cursor().execute('BEGIN IMMEDIATE')


class Argon2(hashers.Argon2PasswordHasher):
    time_cost, memory_cost, parallelism = 2, 19_456, 1


def members(request, *names):
    try:
        body = json.loads(request.body)
        return [str(body[name]) for name in names]
    except (ValueError, KeyError, TypeError) as error:
        raise BadRequest from error


@require_POST
def login(request):
    username, password = members(request, 'username', 'password')
    user = authenticate(request, username=username, password=password)
    if user is None or not user_has_device(user):
        return HttpResponse(status=401)
    return JsonResponse({'mfa_token': signing.dumps(user.pk, salt='mfa')})


@require_POST
def verify(request):
    token, code = members(request, 'mfa_token', 'code')
    try:
        user = models.User.objects.get(pk=signing.loads(token, salt='mfa', max_age=300), is_active=True)
    except (signing.BadSignature, models.User.DoesNotExist):
        user = None
    if user is None or match_token(user, code) is None:
        return HttpResponse(status=401)
    now = int(time.time())
    claims = {'sub': str(user.pk), 'iat': now, 'exp': now + 900, 'jti': str(uuid.uuid4()), 'amr': ['pwd', 'otp']}
    return JsonResponse({'access_token': jwt.encode(claims, SIGNING_KEY, algorithm='ES256'), 'expires_in': 900})


urlpatterns = [path('ready', lambda _: HttpResponse()), path('login', login), path('verify', verify)]
application = wsgi.get_wsgi_application()

if __name__ == '__main__':
    management.call_command('migrate', verbosity=0)
    accounts, password = range(int(os.environ['ACCOUNTS'])), hashers.make_password(os.environ['PASSWORD'])
    models.User.objects.bulk_create(models.User(id=n + 1, username=f'user{n}', password=password) for n in accounts)
    TOTPDevice.objects.bulk_create(TOTPDevice(user_id=n + 1, name='', key=os.environ['TOTP_KEY']) for n in accounts)
    serve = f'-m gunicorn --preload --workers {len(os.sched_getaffinity(0))} --threads 4 --keep-alive 60'
    where = [f'--bind=127.0.0.1:{os.environ["PORT"]}', f'--pythonpath={os.path.dirname(__file__)}']
    os.execv(sys.executable, [sys.executable, *serve.split(), '--access-logfile=-', *where, 'server:application'])
