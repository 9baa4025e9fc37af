# A session with HTTPie 3 (https://httpie.io), for bash or zsh. Paste it part by part. A part that asks for the code of your
# authenticator app stands alone, because some terminals would take the next line for the answer. A code is good once: wait
# for the next one each time.

BASE=http://127.0.0.1:3000
api() { http --ignore-stdin --check-status --body "$@"; }
with() { api --auth-type bearer --auth "$1" "${@:2}"; }
field() { node -p "JSON.parse(require('fs').readFileSync(0, 'utf8')).$1"; }

### Make an account
MFA_TOKEN=$(api POST $BASE/register username=hedy password='correct horse battery' | field mfa_token)

### Set up an authenticator: scan what comes
with "$MFA_TOKEN" POST $BASE/2fa/setup Accept:text/plain

### The code that the app shows
printf 'Code: '; read -r CODE

### Confirm it; the recovery codes are shown this once
ANSWER=$(with "$MFA_TOKEN" POST $BASE/2fa/verify code="$CODE")
ACCESS_TOKEN=$(printf '%s' "$ANSWER" | field access_token)
REFRESH_TOKEN=$(printf '%s' "$ANSWER" | field refresh_token)
RECOVERY_CODE=$(printf '%s' "$ANSWER" | field 'recovery_codes[0]')
printf '%s\n' "$ANSWER"

### The account, its factors, its sessions, and what happened to it
with "$ACCESS_TOKEN" GET $BASE/me
with "$ACCESS_TOKEN" GET $BASE/2fa
with "$ACCESS_TOKEN" GET $BASE/sessions
with "$ACCESS_TOKEN" GET $BASE/me/events limit==5

### Stay signed in: the refresh token is good once and gives the next one
ANSWER=$(api POST $BASE/token/refresh refresh_token="$REFRESH_TOKEN")
ACCESS_TOKEN=$(printf '%s' "$ANSWER" | field access_token)
printf '%s\n' "$ANSWER"

### Whether this session is still alive; a service that must know that of others asks as a service client
with "$ACCESS_TOKEN" POST $BASE/token/introspect token="$ACCESS_TOKEN"

### The next code
printf 'Code: '; read -r CODE

### A change of the account: password and code give an account token, which is good for one
ACCOUNT_TOKEN=$(with "$ACCESS_TOKEN" POST $BASE/2fa/step-up code="$CODE" password='correct horse battery' | field account_token)
ANSWER=$(with "$ACCOUNT_TOKEN" POST $BASE/password/change current_password='correct horse battery' new_password='battery staple horse')
REFRESH_TOKEN=$(printf '%s' "$ANSWER" | field refresh_token)

### Sign out, which takes no access token, and in again without the phone
api POST $BASE/logout refresh_token="$REFRESH_TOKEN"
MFA_TOKEN=$(api POST $BASE/login username=hedy password='battery staple horse' | field mfa_token)
ANSWER=$(with "$MFA_TOKEN" POST $BASE/2fa/verify code="$RECOVERY_CODE" method=recovery_code)
ACCESS_TOKEN=$(printf '%s' "$ANSWER" | field access_token)
with "$(printf '%s' "$ANSWER" | field account_token)" POST $BASE/2fa/recovery-codes

### The next code
printf 'Code: '; read -r CODE

### Leave for good
ACCOUNT_TOKEN=$(with "$ACCESS_TOKEN" POST $BASE/2fa/step-up code="$CODE" password='battery staple horse' | field account_token)
with "$ACCOUNT_TOKEN" DELETE $BASE/me
