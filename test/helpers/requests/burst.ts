import type { Answer } from '../service/service.ts'

/** Calls all at once: nobody waits for anybody else's answer. */
export function burst(times: number, call: (index: number) => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(Array.from({ length: times }, (_, index) => call(index)))
}

/** How often each outcome occurred, e.g. `{ '200': 1, '401 invalid_token': 49 }`. */
export function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const answer of answers) counts[outcomeOf(answer)] = (counts[outcomeOf(answer)] ?? 0) + 1
  return counts
}

export function outcomeOf({ status, body }: Answer): string {
  return status < 400 ? String(status) : `${status} ${body?.code ?? body?.error}`
}

/** An error's body without the one member that differs in every answer. */
export function withoutRequestId({ body }: Answer): Record<string, unknown> {
  const { request_id: _, ...rest } = body
  return rest
}
