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
  return {
    type: 'about:blank',
    title: 'Service unavailable',
    status: response.status,
    detail: 'The answer did not come from the service.',
    code: 'unavailable',
    request_id: response.headers.get('x-request-id') ?? '',
  }
}
