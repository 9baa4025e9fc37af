import type { Test } from 'tap'
import { type ProblemCode, problemStatus } from '../../../src/errors.ts'
import { texts } from '../../../src/texts/texts.ts'
import type { Answer } from '../service/service.ts'

/** Asserts that an answer is this problem in the form of RFC 9457, with every member the contract promises. */
export function isProblem(t: Test, answer: Answer, code: ProblemCode, about = `answers ${code}`): void {
  const status = problemStatus(code)
  const final = answer.body?.reason === 'refused'
  t.match(
    { status: answer.status, headers: answer.headers, body: answer.body },
    {
      status,
      headers: {
        'content-type': /^application\/problem\+json(;|$)/,
        'x-request-id': /^[0-9a-f-]{36}$/,
        ...([429, 503].includes(status) && !final && { 'retry-after': /^[1-9]\d*$/ }),
        ...(status === 401 && code !== 'invalid_credentials' && { 'www-authenticate': /^Bearer/ }),
      },
      body: {
        type: new RegExp(`^(https?://[^/]+(/.*)?)?/problems#${code}$`),
        title: texts.titles[code],
        status,
        detail: /\w/,
        code,
        request_id: answer.headers['x-request-id'],
      },
    },
    about,
  )
}
