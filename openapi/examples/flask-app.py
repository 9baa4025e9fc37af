"""A Flask app that signs people in with Keyturn. Pages, sessions and the table of users are its own; passwords, codes and
passkeys are Keyturn's. Run it: pip install flask && flask --app flask-app run --port 8000"""

import base64
import contextlib
import hashlib
import http.client
import json
import math
import os
import secrets
import sqlite3
import time
import urllib.error
import urllib.request

from flask import Flask, g, redirect, render_template, request

KEYTURN = 'http://127.0.0.1:3000'
# Where people open this app, such as https://app.example.com: forms of other origins are refused.
ORIGIN = os.environ.get('ORIGIN', 'http://localhost:8000')
# Offers passkeys. Keyturn has to take those of ORIGIN (WEBAUTHN_ORIGINS).
PASSKEYS = os.environ.get('PASSKEYS') == 'on'

app = Flask(__name__, template_folder='.', static_folder='public', static_url_path='')
# Behind a proxy of your own, so that request.remote_addr is the person's: ProxyFix of Werkzeug.

# --- Users and sessions. The browser has a random id; the tokens stay here, in a file that other users cannot read. Flask's
# own session would put them into a cookie that anybody with the browser can read.

os.umask(0o077)


def sql(text, *values):
    with contextlib.closing(sqlite3.connect('app.db', isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(text, values)]


sql('CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, keyturn_id TEXT UNIQUE, username TEXT NOT NULL)')
sql('CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, data TEXT NOT NULL, expires_at REAL NOT NULL)')
sql('CREATE TABLE IF NOT EXISTS sign_outs (refresh_token TEXT PRIMARY KEY, ip TEXT NOT NULL)')


def hashed(session_id):
    return hashlib.sha256(session_id.encode()).hexdigest()


@app.before_request
def find_session():
    g.session_id = hashed(request.cookies.get('session', ''))
    rows = sql('SELECT data FROM sessions WHERE id = ? AND expires_at > ?', g.session_id, time.time())
    g.session = json.loads(rows[0]['data']) if rows else {}
    if request.method == 'POST' and request.headers.get('Origin') != ORIGIN:
        return show('login', {'status': 403, 'detail': f'Please open this site at {ORIGIN}.'})


def begin(data, seconds):
    """A new id at each step up: one that was planted in the browser before is worth nothing after."""
    end()
    session_id = secrets.token_urlsafe(32)
    sql('DELETE FROM sessions WHERE expires_at < ?', time.time())
    sql('INSERT INTO sessions VALUES (?, ?, ?)', hashed(session_id), json.dumps(data), time.time() + seconds)
    response = redirect('/')
    response.set_cookie('session', session_id, httponly=True, samesite='Lax', secure=ORIGIN.startswith('https:'))
    return response


def save(changes, seconds=0):
    """Changes some members and removes those that are None. What another tab changes meanwhile stays, the end too."""
    update = 'UPDATE sessions SET data = json_patch(data, ?), expires_at = max(expires_at, ?) WHERE id = ?'
    sql(update, json.dumps(changes), time.time() + seconds, g.session_id)


def end():
    sql('DELETE FROM sessions WHERE id = ?', g.session_id)
    g.session = {}


# --- Keyturn.


def keyturn(method, path, token=None, body=None, key=None, ip=None):
    """Calls Keyturn. It counts attempts by address, so it hears whose this is, and believes this app: TRUST_PROXY. Returns the
    answer or the problem, and 'ok'. It never raises: no answer is a problem like the others."""
    headers = {
        'X-Forwarded-For': ip or request.remote_addr,
        'User-Agent': '' if ip else request.headers.get('User-Agent', ''),
        **({'Authorization': f'Bearer {token}'} if token else {}),
        **({'Idempotency-Key': key} if key else {}),
        **({'Content-Type': 'application/json'} if body is not None else {}),
    }
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(KEYTURN + path, data, headers, method=method)
    with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
        try:
            answer = urllib.request.urlopen(call, timeout=10)
        except urllib.error.HTTPError as problem:
            answer = problem
        with answer:
            return {**json.loads(answer.read() or '{}'), 'ok': answer.status < 300}
    return {'ok': False, 'status': 503, 'detail': 'The sign-in service does not answer. Please try again in a moment.'}


def tokens_of(answer):
    """The key lets a refresh be repeated: by another tab, or when its answer was lost."""
    tokens = {name: answer[name] for name in ('access_token', 'refresh_token')}
    return {**tokens, 'key': secrets.token_urlsafe(32), 'renewAt': time.time() + answer['expires_in'] - 5}


def as_user(method, path):
    """Calls Keyturn with the access token of the session, renewed where it has run out. Call services of yours like this."""
    tokens = g.session['tokens']
    if time.time() < tokens['renewAt']:
        answer = keyturn(method, path, tokens['access_token'])
        if answer.get('code') != 'invalid_token':
            return answer
    body = {'refresh_token': tokens['refresh_token']}
    renewed = keyturn('POST', '/token/refresh', body=body, key=tokens['key'])
    if not renewed['ok']:
        return renewed
    save({'tokens': tokens_of(renewed)}, renewed['refresh_expires_in'])
    return keyturn(method, path, renewed['access_token'])


def revoke():
    """Ends the sessions of those who have signed out. While Keyturn does not answer they wait for the next who signs in or out."""
    for row in sql('SELECT * FROM sign_outs LIMIT 10'):
        if not keyturn('POST', '/token/revoke', body={'token': row['refresh_token']}, ip=row['ip'])['ok']:
            return
        sql('DELETE FROM sign_outs WHERE refresh_token = ?', row['refresh_token'])


def signed_in(answer):
    # It comes from Keyturn itself. A service that gets it from a client has to check the signature.
    claims = json.loads(base64.urlsafe_b64decode(answer['access_token'].split('.')[1] + '=='))
    [user] = sql(
        """INSERT INTO users (keyturn_id, username) VALUES (?, ?)
        ON CONFLICT (keyturn_id) DO UPDATE SET username = excluded.username RETURNING id, username""",
        *(claims['sub'], claims['username']),
    )
    revoke()
    data = {'user': user, 'tokens': tokens_of(answer), 'recovery_codes': answer.get('recovery_codes')}
    return begin(data, answer['refresh_expires_in'])


# --- What people do.


def show(page, problem=None, **values):
    """A page, with what went wrong, if anything."""
    problem = problem or {}
    values = {'sign_in': None, 'user': None, 'passkeys': PASSKEYS, **g.get('session', {}), **values}
    method = problem.get('method')
    text = render_template('flask-pages.html', page=page, problem=sentence(problem), method=method, now=time.time(), **values)
    # Secrets are on these pages: no other site frames them, no foreign script runs in them, no cache keeps them.
    policy = "default-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    return text, problem.get('status', 200), {'Content-Security-Policy': policy, 'Cache-Control': 'no-store'}


def sentence(problem):
    """What went wrong, for the person."""
    detail, wait = problem.get('detail', ''), problem.get('retry_after')
    if wait:
        return f'{problem["title"]}. Try again in {f"{wait} seconds" if wait < 100 else f"{math.ceil(wait / 60)} minutes"}.'
    if 'errors' in problem:
        return ' '.join(fault['detail'] for fault in problem['errors'])
    if problem.get('code') != 'invalid_code':
        return detail
    text = detail if problem.get('method') == 'totp' else 'This code is wrong, expired or used.'
    return f'{text} Tries left: {problem["attempts_left"]}.'


def is_dead(problem):
    """Whether a token is good no more: ask for the password again."""
    return problem.get('code') in ('invalid_token', 'invalid_refresh_token') or problem.get('attempts_left') == 0


def refused(problem):
    """The same page again, with what went wrong, or that of the password."""
    sign_in, user = g.session.get('sign_in'), g.session.get('user')
    if not is_dead(problem):
        return show('code' if sign_in else 'login', problem)
    end()
    why = 'This sign-in was used already, or its answer got lost.'
    if user:
        why = 'You were signed out.'
    elif problem.get('attempts_left') == 0:
        why = 'There were too many wrong codes.'
    elif problem.get('reason') == 'expired':
        why = 'Signing in took too long.'
    return ask_again(why, sign_in and sign_in['username'])


def ask_again(why, username=''):
    return show('login', {'status': 401, 'detail': f'{why} Please enter your password again.'}, username=username)


@app.get('/')
def home():
    session = g.session
    sign_in = session.get('sign_in')
    if session.get('recovery_codes'):
        return show('recovery_codes')
    if sign_in and not (sign_in['enrolled'] or sign_in.get('setup') or sign_in.get('enrolment_code_required')):
        return set_up()
    if sign_in:
        return show('code')
    if 'user' not in session:
        return show('login')
    factors = as_user('GET', '/2fa')
    if is_dead(factors):
        return refused(factors)
    return show('account', factors if not factors['ok'] else None, factors=factors)


@app.get('/register')
def register():
    return show('register')


@app.post('/login')
@app.post('/register')
def password():
    if 'user' in g.session:
        return redirect('/')
    body = {name: value for name, value in request.form.items() if name != 'sign_in' and value}
    answer = keyturn('POST', request.path, body=body)
    if not answer['ok']:
        return show(request.path[1:], answer, username=body.get('username', ''), email=body.get('email', ''))
    if not answer['mfa_required']:
        return signed_in(answer)
    return begin({'sign_in': {**answer, 'id': secrets.token_urlsafe(32), 'username': body['username']}}, 600)


@app.before_request
def check_sign_in():
    """Not for a page of a sign-in that is over, or that another tab has replaced."""
    if request.method != 'POST' or request.path not in ('/setup', '/code', '/email', '/passkey'):
        return None
    sign_in, sign_in_id = g.session.get('sign_in'), request.form.get('sign_in', '')
    if 'user' in g.session:
        return redirect('/')
    if sign_in_id == sign_in['id'] if sign_in else request.path == '/passkey' and not sign_in_id:
        return None
    if not sign_in:
        return ask_again('Signing in took too long.')
    return show('code', {'status': 409, 'detail': 'You have started again in another tab. Please continue here.'})


def with_mfa_token(path, body=None):
    return keyturn('POST', path, g.session.get('sign_in', {}).get('mfa_token'), body)


@app.post('/setup')
def set_up():
    """What is set up stays in the session: the QR code is still there after a code that was mistyped."""
    setup = with_mfa_token('/2fa/setup', {'enrolment_code': request.form.get('code')})
    if not setup['ok']:
        return refused(setup)
    save({'sign_in': {'setup': setup}})
    return show('code', sign_in={**g.session['sign_in'], 'setup': setup})


@app.post('/code')
def code():
    method = request.form.get('method')
    answer = with_mfa_token('/2fa/verify', {'method': method, 'code': request.form.get('code')})
    return signed_in(answer) if answer['ok'] else refused({**answer, 'method': method})


@app.post('/email')
def email():
    answer = with_mfa_token('/2fa/email')
    if not answer['ok']:
        return refused(answer)
    save({'sign_in': {'mail': {**answer, 'resend_at': time.time() + answer['resend_after']}}})
    return redirect('/')


# Where to ask for a challenge and where to answer it: without a password, for a new account, and after the password.
ALONE = '/login/passkey/options', '/login/passkey'
FIRST = '/2fa/passkeys/options', '/2fa/passkeys'
SECOND = '/2fa/passkeys/challenge', '/2fa/verify'


@app.post('/passkey')
def passkey():
    sign_in = g.session.get('sign_in')
    use = ALONE if not sign_in else SECOND if sign_in['enrolled'] else FIRST
    credential = json.loads(request.form.get('credential') or 'null')
    body = {'credential': credential, **({'method': 'passkey'} if use == SECOND else {})}
    answer = with_mfa_token(use[1], body) if credential else with_mfa_token(use[0])
    if not answer['ok']:
        return refused(answer)
    return signed_in(answer) if credential else show('passkey', options=answer['public_key'])


@app.post('/saved')
def saved():
    save({'recovery_codes': None})
    return redirect('/')


@app.post('/logout')
def logout():
    tokens = g.session.get('tokens')
    if tokens:
        sql('INSERT OR IGNORE INTO sign_outs VALUES (?, ?)', tokens['refresh_token'], request.remote_addr)
    end()
    revoke()
    return redirect('/')


@app.errorhandler(500)
def sorry(_error):
    return show('sorry', {'status': 500, 'detail': 'Please try again.'})
