"""A Flask app that signs people in with Keyturn: its pages are its own, and so is its session; passwords, codes and tokens
are not. Run it with: pip install flask && flask --app flask-app run --port 8000"""

import json
import os
import urllib.error
import urllib.request

from flask import Flask, redirect, render_template_string, request, session

KEYTURN = 'http://127.0.0.1:3000'
app = Flask(__name__)
# Signs the session cookie. Keep one for as long as sessions should live: python -c 'import secrets; print(secrets.token_hex())'
app.secret_key = os.environ.get('FLASK_SECRET_KEY') or os.urandom(32)
# Behind TLS, as it must be outside of this machine, with: SESSION_COOKIE_SECURE=True
app.config.update(SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE='Lax')


def keyturn(method, path, body=None, token=None):
    """Calls Keyturn. Returns whether the answer is good, and the answer."""
    # Keyturn counts attempts and requests by address: it has to hear whose this is, and to be told by TRUST_PROXY to believe
    # this app. Behind a proxy of your own, have ProxyFix of Werkzeug find the person's.
    headers = {'X-Forwarded-For': request.remote_addr}
    if token:
        headers['Authorization'] = f'Bearer {token}'
    if body is not None:
        headers['Content-Type'] = 'application/json'
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(KEYTURN + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(call, timeout=10) as answer:
            return True, json.loads(answer.read() or 'null')
    except urllib.error.HTTPError as error:
        return False, json.loads(error.read())


PAGE = """<!doctype html><title>App</title><p>{{ problem }}</p>
{% if user %}Hello, {{ user }} <form method="post" action="/logout"><button>Sign out</button></form>
{% elif codes is not none %}<pre>{{ codes | join('\n') }}</pre><a href="/">Go on</a>
{% elif mfa %}{% if setup %}<img alt="QR code" src="{{ setup.qr_png }}"> <code>{{ setup.secret }}</code>{% endif %}
<form method="post" action="/code"><input name="code" placeholder="Code"><button>Go on</button></form>
{% else %}<form method="post"><input name="username" placeholder="Username">
<input name="password" type="password" placeholder="Password"> <button formaction="/login">Sign in</button>
<button formaction="/register">Make an account</button></form>{% endif %}"""


def page(user=None, mfa=False, setup=None, codes=None, problem=''):
    return render_template_string(PAGE, user=user, mfa=mfa, setup=setup, codes=codes, problem=problem)


@app.get('/')
def home():
    return page(user=session.get('user'))


@app.post('/login')
@app.post('/register')
def password():
    ok, step = keyturn('POST', request.path, {name: request.form[name] for name in ('username', 'password')})
    if not ok:
        return page(problem=step['detail'])
    session.clear()
    session['mfa_token'] = step['mfa_token']
    setup = None if step['enrolled'] else keyturn('POST', '/2fa/setup', token=step['mfa_token'])[1]
    return page(mfa=True, setup=setup)


@app.post('/code')
def code():
    ok, tokens = keyturn('POST', '/2fa/verify', {'code': request.form['code']}, session.get('mfa_token'))
    if not ok:
        return page(mfa=True, problem=tokens['detail'])
    _, user = keyturn('GET', '/me', token=tokens['access_token'])
    session.clear()
    session.update(user=user['username'], refresh_token=tokens['refresh_token'])
    # The first time, there are recovery codes, and they are shown this once.
    return page(codes=tokens.get('recovery_codes', []))


@app.post('/logout')
def logout():
    # By the refresh token: it is good after the access token has run out, and nothing of the session stays alive.
    if 'refresh_token' in session:
        keyturn('POST', '/logout', {'refresh_token': session['refresh_token']})
    session.clear()
    return redirect('/')
