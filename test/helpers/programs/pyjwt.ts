import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** A Python that has PyJWT with its cryptography; `undefined` where there is none. */
export function findPyJwt(): string | undefined {
  return ['python3', '/usr/bin/python3'].find(
    (python) => spawnSync(python, ['-c', 'import cryptography; from jwt import PyJWKClient']).status === 0,
  )
}

/** What a Python service does with tokens, as the documentation of PyJWT has it. */
const PROGRAM = `
import json, sys, urllib.request, jwt
issuer, audience, tokens = json.load(sys.stdin)
metadata = json.load(urllib.request.urlopen(issuer + "/.well-known/oauth-authorization-server"))
keys = jwt.PyJWKClient(metadata["jwks_uri"])

def check(token):
    try:
        key = keys.get_signing_key_from_jwt(token).key
        claims = jwt.decode(token, key, algorithms=["ES256", "EdDSA", "RS256"], audience=audience, issuer=issuer,
                            options={"require": ["exp", "iat", "iss", "aud", "sub"]})
        return {"claims": claims}
    except jwt.PyJWTError as error:
        return {"refused": type(error).__name__}

print(json.dumps([check(token) for token in tokens]))
`

/** For each token the claims that PyJWT reads, or the name of the error with which it refuses it. */
export async function verifyWithPyJwt(
  python: string,
  { issuer, audience, tokens }: { issuer: string; audience: string; tokens: string[] },
): Promise<{ claims?: Record<string, unknown>; refused?: string }[]> {
  const child = spawn(python, ['-c', PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify([issuer, audience, tokens]))
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
  return JSON.parse(output)
}
