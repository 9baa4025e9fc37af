import type { Attempts } from '../attempts/attempts.ts'
import type { TokensRoom } from '../tokens/room.ts'

/** The parts of the service that this room uses. */
export interface ClientsRoom extends TokensRoom {
  attempts: Attempts
}
