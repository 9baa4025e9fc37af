import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { AuditTrail } from '../../audit/trail.ts'
import type { HashQueue } from '../../crypto/hash-queue.ts'
import type { Db } from '../../platform/database.ts'
import type { Mailer } from '../../platform/mailer.ts'

/** The parts of the service that can be watched. */
interface Watched {
  db: Db
  hashQueue: HashQueue
  mailer: Mailer
  trail: AuditTrail
}

type Wrappers = { readonly [Part in keyof Watched]?: (part: Watched[Part]) => Watched[Part] }

/**
 * Something that watches the service while it works: metrics, traces. It puts itself around a part, as one more of
 * the same kind, so that neither the part nor who uses it knows. Without instruments nothing is wrapped.
 */
export interface Instrument extends Wrappers {
  /** Registered before everything else, so that its hooks come first. */
  readonly plugin?: FastifyPluginAsync
  /** Called once for each request that ended, with the log line of it. */
  readonly requestEnded?: (request: FastifyRequest, reply: FastifyReply) => void
}

/** The part as the others are to use it: with every instrument around it that watches this part. */
export function watched<Part extends keyof Watched>(
  instruments: readonly Instrument[],
  name: Part,
  part: Watched[Part],
): Watched[Part] {
  const wrappers: readonly Wrappers[] = instruments
  return wrappers.reduce<Watched[Part]>((inner, wrapper) => wrapper[name]?.(inner) ?? inner, part)
}
