import type { Client } from 'openapi-fetch'
import type { paths } from './api.ts'

/** What the service speaks; pictures of QR codes are asked for with an `Accept` and a `parseAs` of their own. */
export type Json = 'application/json' | 'application/problem+json'

/** The routes of the service, typed. */
export type Routes = Pick<Client<paths, Json>, 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'>
