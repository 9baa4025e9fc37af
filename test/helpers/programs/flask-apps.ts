import { spawnSync } from 'node:child_process'

/** A Python that has Flask-SQLAlchemy, bcrypt and pyotp; `undefined` where there is none. */
export function findFlask(): string | undefined {
  return ['python3', '/usr/bin/python3'].find(
    (python) => spawnSync(python, ['-c', 'import bcrypt, flask_sqlalchemy, pyotp, werkzeug']).status === 0,
  )
}

/** The models of two tutorials, as they write them; `people` comes on stdin as [username, password, enabled]. */
const APPS = {
  /** Flask-Bcrypt's generate_password_hash is bcrypt.hashpw, decoded. */
  bcrypt: `
class User(db.Model):
    __tablename__ = "users"
    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.String, unique=True, nullable=False)
    password = db.Column(db.String, nullable=False)
    created_at = db.Column(db.DateTime, nullable=False)
    is_two_factor_authentication_enabled = db.Column(db.Boolean, nullable=False, default=False)
    secret_token = db.Column(db.String, unique=True)

    def __init__(self, username, password, enabled):
        self.username = username
        self.password = bcrypt.hashpw(password.encode("utf-8"), bcrypt.gensalt(4)).decode("utf-8")
        self.created_at = datetime.now()
        self.is_two_factor_authentication_enabled = enabled
        self.secret_token = pyotp.random_base32()
`,
  werkzeug: `
class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.String(64), index=True)
    password_hash = db.Column(db.String(256))
    otp_secret = db.Column(db.String(16))

    def __init__(self, username, password, enabled):
        self.username = username
        self.password_hash = generate_password_hash(password)
        self.otp_secret = base64.b32encode(os.urandom(10)).decode("utf-8") if enabled else None
`,
}

const program = (model: string) => `
import base64, json, os, sys
from datetime import datetime
import bcrypt, pyotp
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from werkzeug.security import generate_password_hash

path, people = json.load(sys.stdin)
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///" + path
db = SQLAlchemy(app)
${model}
with app.app_context():
    db.create_all()
    users = [User(*person) for person in people]
    db.session.add_all(users)
    db.session.commit()
    secret = "secret_token" if hasattr(User, "secret_token") else "otp_secret"
    codes = {u.username: getattr(u, secret) and pyotp.TOTP(getattr(u, secret)).at(int(os.environ["AT"])) for u in users}
    print(json.dumps(codes))
`

/**
 * Writes the SQLite file of a Flask app with these people.
 *
 * @param at epoch milliseconds.
 * @returns what the authenticator of each shows at that time, by pyotp.
 */
export function writeFlaskDatabase(
  python: string,
  app: keyof typeof APPS,
  path: string,
  people: readonly [username: string, password: string, twoFactor: boolean][],
  at: number,
): Record<string, string | null> {
  const { status, stdout, stderr } = spawnSync(python, ['-c', program(APPS[app])], {
    input: JSON.stringify([path, people]),
    env: { ...process.env, AT: String(Math.floor(at / 1000)) },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`The Flask app failed: ${stderr}`)
  return JSON.parse(stdout)
}
