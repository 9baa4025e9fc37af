import { tmpdir } from 'node:os'

/**
 * What a process of ours is started with: of this process's environment only what Node.js itself needs, and a
 * folder where nobody keeps a `.env`.
 */
export function childOptions(environment: Record<string, string>): {
  cwd: string
  env: Record<string, string | undefined>
} {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  return { cwd: tmpdir(), env: { PATH, ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }), ...environment } }
}
