import { Type } from 'typebox'
import { NextPage, pageQuery } from '../http/paging.ts'
import { CLOSED, ref, Timestamp } from '../http/schemas.ts'
import { ACTORS, EVENTS, type EventName } from './events.ts'

const Nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description })

export const AuditEventSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    at: Timestamp,
    event: Type.Enum(Object.keys(EVENTS) as EventName[]),
    outcome: Type.Enum(['success', 'failure'] as const),
    actor: Type.Enum(ACTORS, {
      description:
        'Who caused it. `client`: a request to the API; `operator`: the command line; `service`: the service itself',
    }),
    method: Nullable(
      'The factor concerned; `password`; `new_address` for the code to one; the roles that were set; the old and the new username (`ada -> grace`)',
    ),
    session_id: Nullable('The session concerned'),
    ip: Type.String({ description: 'Empty unless it was a client' }),
    user_agent: Type.String({ description: 'Empty unless it was a client' }),
    request_id: Type.String(),
  },
  { ...CLOSED, $id: 'AuditEvent', description: 'An event of the account' },
)

export const auditSchemas = [AuditEventSchema]

export const EventPage = Type.Object(
  {
    events: Type.Array(ref(AuditEventSchema), { description: 'Newest first' }),
    next: NextPage,
  },
  { ...CLOSED, description: 'A page of events' },
)

export const EventQuery = pageQuery('Events')
