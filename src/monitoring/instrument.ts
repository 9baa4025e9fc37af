import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { AuditTrail } from '../audit/trail.ts'
import type { HashQueue } from '../crypto/hash-queue.ts'
import type { ProblemCode } from '../errors.ts'
import type { SharedCounts } from '../http/shared-counts.ts'
import type { Db } from '../platform/database.ts'
import type { Mailer } from '../platform/mailer.ts'
import type { DatabaseProbe } from '../upkeep/probe.ts'

/** The parts of the service that can be watched. */
interface Watched {
  db: Db
  hashQueue: HashQueue
  mailer: Mailer
  probe: DatabaseProbe
  sharedCounts: SharedCounts
  trail: AuditTrail
}

type Wrappers = { readonly [Part in keyof Watched]?: (part: Watched[Part]) => Watched[Part] }

/**
 * Watches the service while it works: metrics or traces. It wraps a part in another one of the same type, so that
 * neither the part nor its users know. Without instruments nothing is wrapped.
 */
export interface Instrument extends Wrappers {
  /** Registered first, so that its hooks run first. */
  readonly plugin?: FastifyPluginAsync
  /** Called once for each request that has ended, at its log line. */
  readonly requestEnded?: (request: FastifyRequest, reply: FastifyReply) => void
  /** Called for each answer to what was not HTTP, or did not come in time: there is no request then. */
  readonly unreadable?: (code: ProblemCode) => void
}

/** The part that others use: wrapped by every instrument that watches it. */
export function watched<Part extends keyof Watched>(
  instruments: readonly Instrument[],
  name: Part,
  part: Watched[Part],
): Watched[Part] {
  const wrappers: readonly Wrappers[] = instruments
  return wrappers.reduce<Watched[Part]>((inner, wrapper) => wrapper[name]?.(inner) ?? inner, part)
}
