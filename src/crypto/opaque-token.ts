import { randomBytes } from 'node:crypto'

/** 256 random bits as base64url: 43 characters without any meaning. */
export function newOpaqueToken(): string {
  return randomBytes(32).toString('base64url')
}
