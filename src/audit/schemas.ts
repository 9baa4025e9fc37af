import { Type } from 'typebox'
import { CLOSED, ref, Timestamp } from '../http/schemas.ts'
import { ACTORS, EVENTS, type EventName } from './events.ts'

const Nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description })

export const AuditEvent = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    at: Timestamp,
    event: Type.Enum(Object.keys(EVENTS) as EventName[]),
    outcome: Type.Enum(['success', 'failure'] as const),
    actor: Type.Enum(ACTORS, {
      description: 'Whoever called the API, or the people who run the service',
    }),
    method: Nullable('The factor it is about'),
    session_id: Nullable('The session it is about'),
    ip: Type.String({ description: 'Empty when it was an operator' }),
    user_agent: Type.String({ description: 'Empty when it was an operator' }),
    request_id: Type.String(),
  },
  { ...CLOSED, $id: 'AuditEvent', description: 'Something that happened to the account' },
)

export const auditSchemas = [AuditEvent]

export const EventPage = Type.Object(
  {
    events: Type.Array(ref(AuditEvent), { description: 'The latest first' }),
    next: Type.Union([Type.String(), Type.Null()], {
      description: 'For `before`, to get the page after this one; null at the end',
    }),
  },
  { ...CLOSED, description: 'A page of the account’s events' },
)

export const EventQuery = Type.Object(
  {
    before: Type.Optional(
      Type.String({ maxLength: 64, pattern: '^[^\\u0000]*$', description: '`next` of the page before' }),
    ),
    limit: Type.Optional(
      Type.String({
        pattern: '^([1-9][0-9]?|100)$',
        description: 'Events on a page: 1 to 100, 50 by default',
      }),
    ),
  },
  CLOSED,
)
