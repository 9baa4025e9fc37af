import type { components } from './api.ts'

/** What the service answers when it refuses (RFC 9457). */
export type Problem = components['schemas']['Problem']
export type ProblemCode = Problem['code']

/** A problem as an error. */
export class KeyturnError extends Error {
  override readonly name = 'KeyturnError'
  /** What a program goes by. */
  readonly code: ProblemCode
  readonly status: number
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.code = problem.code
    this.status = problem.status
    this.problem = problem
  }
}

/**
 * The data of an answer.
 *
 * @throws {KeyturnError} when the answer is a problem.
 */
export function unwrap<T>({ data, error }: { data?: T; error?: Problem; response: Response }): T {
  if (error !== undefined) throw new KeyturnError(error)
  return data as T
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/**
 * The problem that an answer is. What a proxy or a gateway says in its own words counts as `unavailable`, so that a
 * program has one kind of refusal to look at.
 */
export async function problemIn(response: Response): Promise<Problem> {
  const text = await response.text()
  if (/^application\/problem\+json\b/.test(response.headers.get('content-type') ?? ''))
    return JSON.parse(text)
  const requestId = response.headers.get('x-request-id') ?? ''
  return unavailable(response.status, 'The service is not available. Try again in a moment.', requestId)
}

/**
 * Whether a token was refused.
 *
 * @param orSpent also one that has no attempt left.
 */
export async function isInvalidToken(response: Response, { orSpent = false } = {}): Promise<boolean> {
  if (response.ok) return false
  const { code, attempts_left } = await problemIn(response.clone())
  return code === 'invalid_token' || (orSpent && attempts_left === 0)
}

/** A request that got no answer, in the form of one. */
export const unreachable = (): Response =>
  asResponse(unavailable(503, 'The service cannot be reached. Check the connection and try again.', ''))

const unavailable = (status: number, detail: string, request_id: string): Problem => ({
  ...{ type: 'about:blank', title: 'Service unavailable', code: 'unavailable' as const },
  ...{ status, detail, request_id },
})

/** Not by `Response.json`, which React Native lacks. */
export const asResponse = (problem: Problem): Response =>
  new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { 'content-type': PROBLEM_MEDIA_TYPE },
  })
