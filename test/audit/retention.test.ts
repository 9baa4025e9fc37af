import t from 'tap'
import { cleanUp } from '../../src/upkeep/clean-up.ts'
import { refresh } from '../helpers/people/sessions.ts'
import { enrol, type Service, startService } from '../helpers/service/service.ts'

/** How long events are kept is the operator's choice. */

const DAY = 24 * 3600

const events = async ({ db }: Service) =>
  (await db.selectFrom('audit_events').select('event').orderBy('id').execute()).map(({ event }) => event)

for (const days of [1, 7, 400])
  t.test(
    `AUDIT_RETENTION_DAYS=${days}: events are kept for so long, refreshes for a month at most`,
    async (t) => {
      const service = await startService(t, { environment: { AUDIT_RETENTION_DAYS: String(days) } })
      const ada = await enrol(service)
      await refresh(service, ada.refreshToken)
      const all = await events(service)
      t.ok(all.includes('token_refreshed'))
      service.clock.advance(days * DAY - 1)
      await cleanUp(service.deps)
      t.strictSame(
        await events(service),
        days < 30 ? all : all.filter((event) => event !== 'token_refreshed'),
      )
      service.clock.advance(1)
      await cleanUp(service.deps)
      t.strictSame(await events(service), [])
    },
  )
